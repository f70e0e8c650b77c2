import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { imageReference } from '../lib/containers-images.ts'
import { until } from '../lib/running.ts'
import { fetchFrom } from '../lib/web.ts'
import type { Checks } from './checks.ts'
import { bootMs, guestMs, instance, type Limactl } from './limactl.ts'

/** A server of this machine, for the guest. */
interface HostServer {
  readonly port: number
  close(): unknown
}

/** Checks that limactl does what locald's driver is written against; leaves no instance. */
export async function checkTool(checks: Checks, limactl: Limactl, template: string, port: number): Promise<void> {
  await checks.run('limactl prints its version, and nothing for no instances', async () => {
    assert.match(await limactl.ok(['--version']), /^limactl version 2\.\d+\.\d+$/m)
    assert.equal(await limactl.ok(['list', '--json']), '')
  })
  await checks.need('create reads a template from its input', async () => {
    await limactl.ok(['create', `--name=${instance}`, '-'], { input: template })
    assert.equal((await limactl.find())?.status, 'Stopped')
  })
  await checks.need('start boots the guest', () => start(limactl))
  await checks.run('shell passes words, input and the exit code', () => checkShell(limactl))
  await checks.need('a published port answers on 127.0.0.1', () => checkPort(limactl, port))
  await checks.run('a container reaches a server on 127.0.0.1 by name', () => checkHost(limactl))
  await checks.need('stop shuts the guest down', async () => {
    await limactl.ok(['stop', instance], { limitMs: bootMs })
    assert.equal((await limactl.find())?.status, 'Stopped')
  })
  await checks.need('a second start boots the guest with its containers', async () => {
    await start(limactl)
    await limactl.shell('podman', 'start', 'web')
    await answers(port)
  })
  await checks.run('an instance without its host agent is broken until stop --force', async () => {
    const { hostAgentPID = 0 } = await limactl.waitFor('Running')
    process.kill(hostAgentPID, 'SIGKILL')
    // limactl prints the cause on stderr alone; its pids say the same, once the system has removed the process.
    const broken = await until('a driver alone', async () => {
      const found = await limactl.waitFor('Broken')
      return (found.hostAgentPID ?? 0) === 0 && found
    })
    assert.ok((broken.driverPID ?? 0) > 0, JSON.stringify(broken))
    await limactl.ok(['stop', '--force', instance])
    assert.equal((await limactl.find())?.status, 'Stopped')
  })
  await checks.run('delete removes the instance', async () => {
    await limactl.ok(['delete', '--force', instance])
    assert.equal(await limactl.find(), undefined)
  })
}

/** Starts the instance, and checks what its host agent says. */
async function start(limactl: Limactl): Promise<void> {
  await limactl.ok(['start', '--timeout=35m', instance], { limitMs: bootMs })
  const found = await limactl.find()
  assert.equal(found?.status, 'Running')
  assert.ok((found.hostAgentPID ?? 0) > 0 && (found.driverPID ?? 0) > 0, JSON.stringify(found))
  assert.ok(limactl.events().some(({ status }) => status.running === true))
}

async function checkShell(limactl: Limactl): Promise<void> {
  const words = ['shell', '--workdir', '/', instance, 'sh', '-c', 'printf "%s|" "$@"; cat; exit 3', 'sh']
  const ran = await limactl.run([...words, 'a b', '"q" $HOME'], { input: 'one\ntwo' })
  assert.deepEqual([ran.code, ran.stdout], [3, 'a b|"q" $HOME|one\ntwo'], ran.stderr)
}

async function checkPort(limactl: Limactl, port: number): Promise<void> {
  await limactl.load('web')
  const address = `127.0.0.1:${port}`
  await limactl.shell('podman', 'run', '-d', '--init', '--name', 'web', '-p', `${address}:80`, imageReference('web'))
  await answers(port)
  const forwards = limactl.events().flatMap(({ status }) => status.portForward ?? [])
  assert.ok(
    forwards.some(({ type, hostAddr }) => type === 'forwarding' && hostAddr === address),
    JSON.stringify(forwards),
  )
}

/** Waits until the container answers. */
async function answers(port: number): Promise<void> {
  const answer = await until(
    `an answer on ${port}`,
    () => fetchFrom(port, 'localhost', '/').catch(() => undefined),
    guestMs,
  )
  assert.equal(answer.body, 'hello from web\n')
}

async function checkHost(limactl: Limactl): Promise<void> {
  const server = await listen()
  try {
    // The wget of a static busybox crashes where it looks up a name.
    const request = "printf 'GET / HTTP/1.0\\r\\n\\r\\n'"
    const fetch = ['sh', '-c', `${request} | nc -w 120 host.docker.internal ${server.port}`]
    assert.match(await limactl.shell('podman', 'run', '--rm', imageReference('web'), ...fetch), /hello from the host$/)
    await limactl.shell('podman', 'network', 'create', 'project')
    const inNetwork = ['podman', 'run', '--rm', '--network', 'project', imageReference('web'), ...fetch]
    assert.match(await limactl.shell(...inNetwork), /hello from the host$/)
  } finally {
    server.close()
  }
}

async function listen(): Promise<HostServer> {
  const server = createServer((_, response) => response.end('hello from the host')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { port: address.port, close: () => server.close() }
}
