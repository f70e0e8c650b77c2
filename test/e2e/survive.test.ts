import { setTimeout } from 'node:timers/promises'
import type { ServiceView } from '../../kernel/events.ts'
import { freePort } from '../lib/ports.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { fetchFrom } from '../lib/web.ts'
import { printer } from './programs.ts'
import { onEach, onHost } from './suite.ts'

const kills = 10

/** Within so long of the next command a name answers again: ms. */
const answersMs = 2000

/** That is so many starts of Node where one takes 40 ms: the limit on a machine so busy that it takes longer. */
const answersStarts = 50

onHost(
  'a daemon killed ten times loses no output of its services',
  async (t, machine) => {
    // The same port for every daemon, so that it is known.
    const port = await freePort()
    const box = machine.sandbox({ env: { LOCALD_HTTP_PORT: String(port) } })
    const folder = box.project('printers', {
      'locald.toml': `
        [project]
        name = "printers"
        [services.term]
        command = "exec ${process.execPath} printer.mjs 2000"
        [services.pipe]
        command = "exec ${process.execPath} printer.mjs 2000"
        tty = false
      `,
      'printer.mjs': printer,
    })
    await box.up(folder)
    const first = await pids(box, folder)
    const took: number[] = []
    const starts: number[] = []
    const follower = box.start(['logs', '-f', 'term'], { cwd: folder })
    await follower.prints(/\d+ \.{200}/)
    for (let round = 0; round < kills; round++) {
      await kill(box)
      // Time in which only the keepers read the output.
      await setTimeout(200)
      const began = performance.now()
      const next = pids(box, folder)
      const answer = await answers(port, 'term')
      await answers(port, 'pipe')
      took.push(performance.now() - began)
      t.equal(answer.pid, first.get('term'))
      t.same(await next, first, 'the next command finds the same processes')
      const before = performance.now()
      await box.spawn([process.execPath, '-e', '0']).done
      starts.push(performance.now() - before)
    }
    const limit = Math.max(answersMs, answersStarts * median(starts))
    t.ok(median(took) < limit, `names answer within ${Math.round(limit)} ms: ${took.map(Math.round).join(', ')}`)
    for (const name of ['term', 'pipe']) {
      const { count } = await answers(port, name)
      const lines = await box.logs(folder, [name, '-n', '10000000'])
      const numbers = lines.map(({ text }) => Number(text.split(' ')[0]))
      t.ok(numbers.length >= count, `${name}: ${numbers.length} lines of at least ${count}`)
      const odd = numbers.findIndex((number, index) => number !== index)
      t.equal(odd, -1, `${name}: each line once and in order; at ${odd}: ${numbers.slice(odd - 2, odd + 3)}`)
    }
    const { count: printed } = await answers(port, 'term')
    await follower.prints(new RegExp(`\\| ${printed - 1} \\.{200}\n`))
    const followed = [...follower.stdout.matchAll(/\| (\d+) \.{200}\n/g)].map(([, number]) => Number(number))
    const jump = followed.findIndex((number, index) => index > 0 && number !== (followed[index - 1] ?? 0) + 1)
    t.equal(jump, -1, `who follows has each line once; at ${jump}: ${followed.slice(jump - 2, jump + 3)}`)
    t.equal(follower.stderr, '', 'and is not informed of daemons')
    follower.child.kill('SIGKILL')
  },
  { timeout: 300_000 },
)

onEach('applies the restart policy to services that exited while the daemon was down', async (t, machine) => {
  const box = machine.sandbox()
  const worker = (name: string, more = '') =>
    `[services.${name}]\ntype = "worker"\ncommand = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"\n${more}\n`
  const folder = box.project('judged', {
    'locald.toml': [
      '[project]\nname = "judged"',
      worker('crashed'),
      worker('crashed-for-good', 'restart = "no"'),
      worker('exited'),
      worker('exited-again', 'restart = "always"'),
      worker('without-keeper'),
      worker('runs'),
    ].join('\n'),
  })
  await box.up(folder)
  const first = await pids(box, folder)
  const pid = (name: string) => first.get(name) ?? Number.NaN
  await kill(box)
  process.kill(pid('crashed'), 'SIGKILL')
  process.kill(pid('crashed-for-good'), 'SIGKILL')
  process.kill(pid('exited'), 'SIGTERM')
  process.kill(pid('exited-again'), 'SIGTERM')
  process.kill(processList.parentOf(pid('without-keeper')), 'SIGKILL')
  const ends = ['crashed', 'crashed-for-good', 'exited', 'exited-again']
  await until('the exits of the services', () => !ends.some(name => processList.isAlive(pid(name))))
  await box.status(folder)
  const settled = async (name: string, status: string, times: number) =>
    await until(`${name} to be ${status}`, async () => {
      const view = await box.service(folder, name)
      return view.status === status && view.restarts === times ? view : undefined
    })
  for (const name of ['crashed', 'exited-again', 'without-keeper']) {
    const { pid: now } = await settled(name, 'running', 1)
    t.not(now, pid(name), `${name} was started again`)
    t.notOk(processList.isAlive(pid(name)), 'nothing of the first one is left')
  }
  t.match(await settled('crashed-for-good', 'failed', 0), { reason: 'terminated by SIGKILL', pid: null })
  t.match(await settled('exited', 'exited', 0), { reason: 'exited with code 0', pid: null })
  t.match(await settled('runs', 'running', 0), { pid: pid('runs') })
})

onHost('services that waited or started when the daemon was killed become ready', async (t, machine) => {
  const box = machine.sandbox()
  const folder = box.project('late', {
    'locald.toml': `
      [project]
      name = "late"
      [services.db]
      type = "worker"
      command = "while ! test -e gate; do sleep 0.05; done; echo is ready; exec sleep 100000"
      health_check = { type = "log", pattern = "is ready" }
      ready_timeout = 100
      [services.seed]
      type = "worker"
      command = "echo seeds; cat gate"
      depends_on = ["db"]
      [services.api]
      type = "worker"
      command = "exec sleep 100000"
      depends_on = { db = "ready", seed = "completed" }
      [services.after]
      type = "worker"
      command = "exec sleep 100000"
      depends_on = { seed = "started" }
    `,
  })
  const up = box.start(['up'], { cwd: folder })
  const db = await until('db to start', async () => {
    const views = await box.status(folder)
    const [starting, waiting] = ['db', 'api'].map(name => views.find(view => view.name === name))
    return starting?.status === 'starting' && waiting?.status === 'waiting' ? starting.pid : undefined
  })
  await kill(box)
  const { code, stderr } = await up.done
  t.equal(code, 1)
  t.match(stderr, /Error: lost connection to the daemon while .*\[DAEMON_UNREACHABLE\]/, 'its dependents are informed')
  t.match(await box.service(folder, 'db'), { status: 'starting', pid: db })
  t.match(await box.service(folder, 'api'), { status: 'waiting', reason: /waiting for db/ })
  box.write(`${folder}/gate`, '')
  await box.ok(['wait', '--timeout', '60'], { cwd: folder })
  t.match(await box.service(folder, 'db'), { status: 'running', health: 'healthy', pid: db })
  t.match(await box.service(folder, 'seed'), { status: 'exited' })
  t.match(await box.service(folder, 'api'), { status: 'running' })
  await box.ok(['stop', 'after'], { cwd: folder })
  await kill(box)
  await box.up(folder)
  t.match(await box.service(folder, 'seed'), { status: 'exited' })
  t.match(await box.service(folder, 'after'), { status: 'running' }, 'an exited service was started as well')
})

onHost('killed during an up, each service runs once in the end', async (t, machine) => {
  const box = machine.sandbox()
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const folder = box.project('middle', {
    'locald.toml': [
      '[project]\nname = "middle"',
      ...names.map((name, index) => `[services.${name}]\ntype = "worker"\ncommand = "exec sleep 10000${index}"`),
    ].join('\n'),
  })
  const sleeping = () => box.processes().filter(({ command }) => /^sleep 10000\d$/.test(command))
  await box.ok(['server', 'start'])
  for (const count of [1, 2, 3, 4, 5, 6]) {
    const { pid } = await box.server()
    const up = box.start(['up'], { cwd: folder })
    await until(`${count} services`, () => sleeping().length >= count)
    process.kill(pid, 'SIGKILL')
    await up.done
    await until('the end of the daemon', () => !processList.isAlive(pid))
    await box.status(folder)
    await box.ok(['up'], { cwd: folder })
    const views = await box.status(folder)
    t.same(
      sleeping()
        .map(({ pid }) => pid)
        .sort(),
      views.map(({ pid }) => pid).sort(),
      `killed at ${count}: each service is one process, and locald knows it`,
    )
    await box.ok(['stop'], { cwd: folder })
    t.same(sleeping(), [], 'and has exited after a stop')
  }
})

onHost('killed during a stop, stopped services stay stopped', async (t, machine) => {
  const box = machine.sandbox()
  const folder = box.project('ending', {
    'locald.toml': `
      [project]
      name = "ending"
      [services.slow]
      type = "worker"
      command = "trap 'echo stopping; while ! test -e gate; do sleep 0.05; done; exit 7' TERM; echo up; while :; do sleep 0.05; done"
      stop_timeout = 60
      [services.other]
      type = "worker"
      command = "exec sleep 100000"
    `,
  })
  await box.up(folder)
  const { pid: slow } = await box.service(folder, 'slow')
  const { pid: other } = await box.service(folder, 'other')
  const stop = box.start(['stop', 'slow'], { cwd: folder })
  await until('the signal to arrive', async () =>
    (await box.logs(folder, ['slow'])).some(({ text }) => text === 'stopping'),
  )
  await kill(box)
  t.equal((await stop.done).code, 1)
  box.write(`${folder}/gate`, '')
  await until('slow to be stopped', async () => (await box.service(folder, 'slow')).status === 'stopped')
  t.notOk(processList.isAlive(slow ?? Number.NaN))
  t.match(await box.service(folder, 'other'), { status: 'running', pid: other })
})

onHost('SIGTERM and server restart leave services running; server shutdown stops them', async (t, machine) => {
  const box = machine.sandbox()
  const folder = box.project('kept', {
    'locald.toml': `
      [project]
      name = "kept"
      [services.web]
      command = "exec ${process.execPath} printer.mjs 10"
      [services.job]
      type = "worker"
      command = "exec sleep 100000"
    `,
    'printer.mjs': printer,
  })
  await box.up(folder)
  const first = await pids(box, folder)
  const { pid } = await box.server()
  process.kill(pid, 'SIGTERM')
  await until('the end of the daemon', () => !processList.isAlive(pid))
  t.same(await pids(box, folder), first, 'after SIGTERM')
  const second = await box.server()
  await box.ok(['server', 'restart'])
  t.not((await box.server()).pid, second.pid, 'another daemon')
  t.same(await pids(box, folder), first, 'after a restart')
  const { http, https } = await box.server()
  t.match((await box.service(folder, 'web')).url, new RegExp(`:(?:${http}|${https})$`), 'URLs have the new port')
  const ran = await box.ok(['server', 'shutdown'])
  t.match(ran.stdout, /Daemon stopped\n/)
  await until('nothing to be left', () => box.processes().length === 0)
  await box.ok(['server', 'start'])
  t.match(
    await box.status(folder),
    [{ status: 'stopped' }, { status: 'stopped' }].slice(0, (await box.status(folder)).length),
  )
  t.same(box.processes().length, 1, 'and nothing comes back with the next daemon')
})

/** SIGKILLs the daemon and waits for its exit. */
async function kill(box: Sandbox): Promise<void> {
  const { pid } = await box.server()
  process.kill(pid, 'SIGKILL')
  await until('the end of the daemon', () => !processList.isAlive(pid))
}

async function pids(box: Sandbox, folder: string): Promise<ReadonlyMap<string, number | null>> {
  const views: readonly ServiceView[] = await box.status(folder)
  return new Map(views.map(({ name, pid }) => [name, pid]))
}

/** What a printer says through the proxy; asked again until it does. */
async function answers(port: number, name: string): Promise<{ readonly pid: number; readonly count: number }> {
  const { body } = await until(
    `an answer of ${name}`,
    async () => {
      const answer = await fetchFrom(port, `${name}.printers.localhost`, '/').catch(() => undefined)
      return answer?.status === 200 ? answer : undefined
    },
    60_000,
  )
  return JSON.parse(body)
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
