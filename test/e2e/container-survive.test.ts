import type { ContainerSandbox } from '../lib/containers.ts'
import { configuration, containerOf, textOf } from '../lib/containers-project.ts'
import { type Process, processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { onEngine } from './container-suite.ts'

/** How often something is killed; at night as often as the requirement has it. */
const kills = process.env['LOCALD_NIGHTLY'] === '1' ? 50 : 8

/** Prints numbered lines on both outputs for ever, about 100 a second each. */
const printer = `i=0; while :; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); usleep 10000; done`

onEngine(
  'containers outlive kills of the daemon and of its helpers, and each line is logged once',
  async (t, sandbox) => {
    const busybox = await sandbox.image('busybox')
    const folder = sandbox.project('kills', {
      'locald.toml': configuration('kills', {
        printer: { image: busybox, command: ['sh', '-c', printer] },
        web: { image: await sandbox.image('web'), container_port: 80 },
      }),
    })
    await sandbox.up(folder)
    const ids = async () =>
      await Promise.all(
        ['printer', 'web'].map(
          async name => await sandbox.inspect(await containerOf(sandbox, 'kills', name), '{{.Id}}'),
        ),
      )
    const first = await ids()
    const { port } = await sandbox.service(folder, 'web')
    const random = randomFrom(Number(process.env['LOCALD_TEST_SEED'] ?? Date.now() % 1_000_000), t.comment.bind(t))
    for (let round = 0; round < kills; round++) {
      const [daemon, ...helpers] = await helpersOf(sandbox)
      const victim = helpers[Math.floor(random() * helpers.length * 2)] ?? daemon
      process.kill(victim.pid, 'SIGKILL')
      await new Promise(wake => setTimeout(wake, random() * 500))
      // The next command starts a daemon where there is none.
      const views = await sandbox.status(folder)
      t.same(
        views.map(({ name, status, restarts }) => [name, status, restarts]).sort(),
        [
          ['printer', 'running', 0],
          ['web', 'running', 0],
        ],
        `after the kill of ${victim.command.slice(0, 80)}`,
      )
    }
    t.equal(await textOf(port), 'hello from web\n')
    t.same(await ids(), first, 'the same containers')
    await sandbox.ok(['stop'], { cwd: folder })
    const lines = await sandbox.logs(folder, ['printer', '-n', '10000000'])
    for (const stream of ['stdout', 'stderr']) {
      const numbers = lines.filter(line => line.stream === stream).map(({ text }) => Number(text.split(' ')[1]))
      t.ok(numbers.length > 100, `${numbers.length} lines of ${stream}`)
      const odd = numbers.findIndex((number, index) => number !== index)
      t.equal(odd, -1, `${stream}: each line once and in order; at ${odd}: ${numbers.slice(odd - 2, odd + 3)}`)
    }
    t.same([await sandbox.containers(), await sandbox.networks()], [[], []])
  },
  { timeout: 300_000 + kills * 10_000 },
)

onEngine(
  'a container that exited while no daemon ran gets its code, its last lines and its restart',
  async (t, sandbox) => {
    const busybox = await sandbox.image('busybox')
    const worker = {
      image: busybox,
      command: ['sh', '-c', 'trap "echo last words; exit 5" TERM; echo up; while :; do usleep 50000; done'],
    }
    const folder = sandbox.project('late', {
      'locald.toml': configuration('late', { once: { ...worker, restart: 'no' }, again: worker }),
    })
    await sandbox.up(folder)
    const names = await Promise.all(['once', 'again'].map(name => containerOf(sandbox, 'late', name)))
    const [daemon] = await helpersOf(sandbox)
    process.kill(daemon.pid, 'SIGKILL')
    await until('the exit of the daemon', () => !processList.isAlive(daemon.pid))
    for (const name of names) await sandbox.ask('kill', '-s', 'TERM', name)
    await until('the exit of the containers', async () =>
      (await sandbox.containers()).every(({ isRunning }) => !isRunning),
    )
    const once = await until('the end of once', async () => {
      const view = await sandbox.service(folder, 'once')
      return view.status === 'failed' ? view : undefined
    })
    t.match(once, { reason: /exited with code 5/ })
    await until('the restart of again', async () => {
      const view = await sandbox.service(folder, 'again')
      return view.status === 'running' && view.restarts === 1
    })
    const said = (await sandbox.logs(folder, ['once']))
      .filter(({ stream }) => stream === 'stdout')
      .map(({ text }) => text)
    t.same(said, ['up', 'last words'])
  },
)

/** The daemon, first, and all programs of the engine that it started. */
async function helpersOf(sandbox: ContainerSandbox): Promise<readonly [Process, ...Process[]]> {
  const { pid } = await sandbox.server()
  const isBelow = (child: number): boolean => {
    const parent = processList.parentOf(child)
    return parent === pid || (parent > 1 && isBelow(parent))
  }
  return [{ pid, command: 'the daemon' }, ...sandbox.processes().filter(child => isBelow(child.pid))]
}

/** A generator of numbers from 0 to 1 that one seed makes repeatable (Park and Miller, 1988). */
function randomFrom(seed: number, say: (text: string) => void): () => number {
  say(`LOCALD_TEST_SEED=${seed}`)
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
