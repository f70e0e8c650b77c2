import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { keepSweeping, sweep } from '../lib/sweeper.ts'
import { onEach } from './suite.ts'

/** ms */
const everyMs = 2000

const files = {
  'locald.toml': `
    [project]
    name = "swept"
    [services.web]
    command = "exec node server.mjs"
    [services.piped]
    type = "worker"
    tty = false
    command = "i=0; while :; do i=$((i + 1)); echo line $i; sleep 0.1; done"
    [services.notifier]
    type = "worker"
    command = "exec node notify.mjs"
    health_check = { type = "notify" }
  `,
  'server.mjs': `import { createServer } from 'node:http'
    createServer((_, response) => response.end('here')).listen(Number(process.env.PORT), '127.0.0.1')`,
  // Node has no datagrams on unix sockets.
  'notify.mjs': `import { spawnSync } from 'node:child_process'
    // Its socket may be missing for a moment.
    const notify = () => spawnSync('systemd-notify', ['--ready'], { stdio: 'inherit' }).status === 0 || setTimeout(notify, 50)
    notify()
    setInterval(() => {}, 60_000)`,
}

/** A project that runs, in a runtime folder that is emptied all the time. */
async function swept(t: Test, box: Sandbox) {
  const folder = box.project('swept', files)
  await box.up(folder)
  const runtime = dirname((await box.server()).socket)
  t.teardown(keepSweeping(runtime, everyMs))
  return { folder, runtime }
}

async function pids(box: Sandbox, folder: string): Promise<ReadonlyMap<string, number | null>> {
  return new Map((await box.status(folder)).map(({ name, pid }) => [name, pid]))
}

onEach('commands work while the runtime folder is emptied again and again', async (t, machine) => {
  // With a name so short, the folder of a Mac, which has white space in its path, is short enough for sockets.
  const box = machine.sandbox({ env: { LOCALD_SANDBOX: 's' } })
  const { folder, runtime } = await swept(t, box)
  t.equal(/\s/.test(runtime), machine.os === 'darwin')
  const first = await pids(box, folder)
  const { pid: daemon } = await box.server()
  const follower = box.start(['logs', '-f', 'piped'], { cwd: folder })
  await follower.prints(/line \d+\n/)

  for (let round = 0; round < 2; round++) {
    // The other sweeper may have just been there.
    await until('something to remove', () => sweep(runtime) > 0)
    t.same(await pids(box, folder), first, 'status')
    sweep(runtime)
    t.equal((await box.server()).pid, daemon, 'it is the same daemon')
    sweep(runtime)
    await box.up(folder)
    t.same(await pids(box, folder), first, 'an up leaves what runs alone')
    t.equal((await box.get('swept.localhost')).body, 'here')
    sweep(runtime)
    t.match((await box.ok(['run', 'web', '--', 'sh', '-c', 'echo port $PORT'], { cwd: folder })).stdout, /port \d+/)
    sweep(runtime)
    t.match((await box.ok(['logs', 'web', 'piped'], { cwd: folder })).stdout, /line \d+/)
  }

  sweep(runtime)
  await box.ok(['restart', 'notifier', 'web'], { cwd: folder })
  const second = await pids(box, folder)
  for (const name of ['notifier', 'web'])
    t.not(second.get(name), first.get(name), `${name} was restarted, and is ready`)
  t.equal(second.get('piped'), first.get('piped'))
  sweep(runtime)
  await box.ok(['stop', 'piped'], { cwd: folder })
  t.match(await box.service(folder, 'piped'), { status: 'stopped', pid: null })
  t.notOk(processList.isAlive(first.get('piped') ?? Number.NaN))
  sweep(runtime)
  await box.up(folder, ['piped'])
  const last = await pids(box, folder)
  const count = () => follower.stdout.match(/line 1\n/g)?.length
  await until('the follower to have the lines of both', () => count() === 2)
  follower.child.kill('SIGINT')
  t.match(await follower.done, { stderr: '' })

  const attached = box.start(['up'], { cwd: folder, input: '' })
  t.equal((await attached.done).code, 0)
  t.same(await pids(box, folder), last)
  sweep(runtime)
  await box.ok(['stop'], { cwd: folder })
  t.same(
    (await box.status(folder)).map(({ status }) => status),
    ['stopped', 'stopped', 'stopped'],
  )
})

onEach('after a kill the next daemon adopts all services from an empty runtime folder', async (t, machine) => {
  const box = machine.sandbox()
  const { folder, runtime } = await swept(t, box)
  const first = await pids(box, folder)
  for (let round = 0; round < 2; round++) {
    const { pid } = await box.server()
    process.kill(pid, 'SIGKILL')
    await until('its end', () => !processList.isAlive(pid))
    sweep(runtime)
    t.same(await pids(box, folder), first)
    t.not((await box.server()).pid, pid)
  }
  await box.ok(['restart', 'notifier'], { cwd: folder })
  t.match(await box.service(folder, 'notifier'), { status: 'running' })

  const [piped = Number.NaN, { pid }] = [first.get('piped') ?? undefined, await box.server()]
  process.kill(pid, 'SIGKILL')
  await until('its end', () => !processList.isAlive(pid))
  process.kill(piped, 'SIGKILL')
  await until('the end of the service', () => !processList.isAlive(piped))
  sweep(runtime)
  const why = async () => (await box.ok(['why', 'piped'], { cwd: folder })).stdout
  await until('its restart', async () => /last restart: terminated by SIGKILL/.test(await why()))
  await box.ok(['server', 'shutdown'])
})

onEach('starts one daemon while the runtime folder is emptied', async (t, machine) => {
  const box = machine.sandbox()
  const { folder, runtime } = await swept(t, box)
  const { pid } = await box.server()
  const { data } = resolvePaths({ env: box.env })
  for (let round = 0; round < 3; round++) {
    sweep(runtime)
    rmSync(join(data, 'daemon.lock'))
    const many = await Promise.all([1, 2, 3].map(() => box.ok(['server', 'start', '--json'])))
    t.same(
      many.map(({ stdout }) => JSON.parse(stdout).pid),
      [pid, pid, pid],
    )
  }
  await box.ok(['stop'], { cwd: folder })
})
