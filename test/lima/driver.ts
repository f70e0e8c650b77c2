import assert from 'node:assert/strict'
import { join } from 'node:path'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { imageReference } from '../lib/containers-images.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { fetchFrom } from '../lib/web.ts'
import type { Checks } from './checks.ts'
import { bootMs, guestMs, type Limactl } from './limactl.ts'

/** Everything takes ten times as long as with KVM. */
const project = `
[project]
name = "guest"
[services.web]
type = "container"
image = "${imageReference('entry')}"
pull = "never"
container_port = 8080
ready_timeout = "10m"
stop_timeout = "2m"
env = { GREETING = "two\\nlines" }
`

/** Returns locald's own configuration: containers in a VM of this template. */
export function driverConfig(template: string): string {
  return `[plugins.container]
engine = "lima"
[plugins.container-lima]
template = "${template}"
memory = "1536MiB"
disk = "8GiB"
allow_slow = true
start_timeout = "35m"
idle_stop = 0
`
}

/** Checks that locald makes, uses, repairs and removes the VM. */
export async function checkDriver(checks: Checks, box: Sandbox, limactl: Limactl, config: string): Promise<void> {
  box.write(join(resolvePaths({ env: box.env }).config, 'config.toml'), config)
  const folder = box.project('guest', { 'locald.toml': project })
  // The daemon's environment decides which limactl it uses, and how.
  await box.ok(['server', 'start'], {
    env: { LIMACTL: limactl.program, LOCALD_LIMA_HOME: limactl.home },
    limitMs: guestMs,
  })
  const vm = async (...words: readonly string[]) => (await box.ok(['vm', ...words], { limitMs: bootMs })).stdout
  await checks.need('vm start creates the VM and starts it', async () => {
    await vm('start')
    assert.equal((await limactl.find())?.status, 'Running')
    assert.match(await vm('status'), /state\s+running[\s\S]*engine\s+podman/)
  })
  await checks.need('up runs a container, which answers', async () => {
    await limactl.load('entry')
    await up(box, folder)
  })
  await checks.run('its output is logged, and its variables arrive whole', async () => {
    const lines = await until('the log', async () => {
      const found = (await box.logs(folder)).map(({ text }) => text)
      return found.includes('lines') && found
    })
    for (const line of ['arg one', 'arg two words', 'GREETING=two', 'lines']) assert.ok(lines.includes(line), line)
  })
  await checks.need('stop removes the container', async () => {
    await box.ok(['stop'], { cwd: folder, limitMs: guestMs })
    assert.equal(await limactl.shell('podman', 'ps', '-aq'), '')
  })
  await checks.need('up repairs a VM whose host agent was killed', async () => {
    const { hostAgentPID = 0 } = await limactl.waitFor('Running')
    process.kill(hostAgentPID, 'SIGKILL')
    await limactl.waitFor('Broken')
    await up(box, folder)
  })
  await checks.run('vm stop refuses while a service runs, and stops the VM after it', async () => {
    const refused = await box.run(['vm', 'stop'], { limitMs: guestMs })
    assert.equal(refused.code, 2, refused.stderr)
    await box.ok(['stop'], { cwd: folder, limitMs: guestMs })
    await vm('stop')
    assert.equal((await limactl.find())?.status, 'Stopped')
  })
  await checks.run('vm delete removes the VM', async () => {
    await vm('delete', '--yes')
    assert.equal(await limactl.find(), undefined)
  })
}

/** Starts the project and waits until its container answers. */
async function up(box: Sandbox, folder: string): Promise<void> {
  await box.up(folder, [], { limitMs: bootMs })
  const { port } = await box.service(folder, 'web')
  if (typeof port !== 'number') throw new Error('the service has no port')
  const answer = await fetchFrom(port, 'localhost', '/')
  assert.match(answer.body, /arg two words/)
}
