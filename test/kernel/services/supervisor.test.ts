import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Exit, Instance, ProcessTable, ServiceType } from '../../../kernel/contract/plugin.ts'
import {
  crashLimit,
  exitText,
  firstDelayMs,
  longestDelayMs,
  RestartPolicy,
  steadyMs,
} from '../../../kernel/services/restart-policy.ts'
import { deferred, OperationQueue, pause, unlessStopped } from '../../../kernel/system/async.ts'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { buildTestProgram, isAlive, makeFolder, removeFolder, until } from '../../lib/keeper.ts'
import { hostTable, onlyLinux, setsid } from '../../lib/machine.ts'
import { TestProject, within } from '../../lib/test-service.ts'

const tools = makeFolder()
const testProgram = buildTestProgram(tools)
const hold = setInterval(() => {}, 60_000)
t.teardown(() => {
  clearInterval(hold)
  removeFolder(tools)
})

const darwin = new DarwinProcessTable(new Tools(process.env['PATH']))
const table = hostTable()

const linux = { skip: onlyLinux('sees processes of other users') }

async function listen(t: Test, port: number) {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server
}

for (const [name, platform] of [
  ['linux', table],
  ['darwin', darwin],
] as const) {
  t.test(`the essentials, as ${name}`, async t => {
    const project = new TestProject(t, { table: platform })
    const web = await project.service('web', { restart: 'on-failure' })
    web.start()
    const view = await web.until('running', 'healthy')
    t.match(view, { pid: Number, port: Number, startedAt: String, reason: null, restarts: 0 })
    t.strictSame(project.transitions('web'), ['waiting null', 'starting starting', 'running healthy'])
    t.strictSame(project.hooksRun, ['starting web', 'ready web'])
    process.kill(view.pid ?? 0, 'SIGKILL')
    t.equal(await web.untilReason(/terminated/), 'terminated by SIGKILL; restarting in 0.1 s (attempt 1 of 5)')
    const again = await web.until('running', 'healthy')
    t.not(again.pid, view.pid)
    t.equal(again.restarts, 1)
    project.hooks.stopping.tap('test', () => void project.hooksRun.push(isAlive(again.pid ?? 0) ? 'alive' : 'dead'))
    await web.stop()
    t.match(web.state.view(), { status: 'stopped', health: null, pid: null })
    t.notOk(isAlive(again.pid ?? 0))
    t.strictSame(project.transitions('web').slice(-2), ['stopping null', 'stopped null'])
    t.strictSame(project.hooksRun.slice(-3), ['stopping web', 'alive', 'gone web'])
  })
}

t.test('readiness', async t => {
  t.test('a service that listens on ::1 only is found there, whatever the check', async t => {
    const project = new TestProject(t, { table })
    const env = { BIND: '::1' }
    const all = [
      await project.service('tcp', { env }),
      await project.service('http', { env, healthCheck: { type: 'http' } }),
      await project.service('log', { env, healthCheck: { type: 'log', pattern: 'listening' } }),
    ]
    for (const one of all) one.start()
    for (const one of all) {
      await one.until('running', 'healthy')
      t.equal(one.service.address, '::1', one.service.ref.name)
    }
  })

  t.test('nothing to ask: it runs', async t => {
    const project = new TestProject(t, { table })
    const queue = await project.service('queue', { command: 'exec sleep 1000', worker: true })
    queue.start()
    await queue.until('running', null)
    const quick = await project.service('quick', { command: 'exit 0', worker: true })
    quick.start()
    t.equal((await quick.until('exited')).reason, 'exited with code 0')
  })

  t.test('a command is asked with the environment and in the folder of the service, at the interval', async t => {
    const project = new TestProject(t, { table })
    const command = 'echo "$PORT $NAME $(pwd)" >> probes; test -e go'
    const web = await project.service('web', {
      command: 'exec sleep 1000',
      env: { NAME: 'it' },
      healthCheck: { type: 'command', command, interval: 150 },
    })
    web.start()
    const probes = () => readFileSync(join(project.dir, 'probes'), 'utf8').trim().split('\n')
    t.equal(await web.untilReason(/check/), 'the check exited with code 1')
    writeFileSync(join(project.dir, 'go'), '')
    await web.until('running', 'healthy')
    const before = probes().length
    t.equal(probes()[0], `${web.plan.port} it ${project.dir}`)
    t.ok(web.state.now.tries >= 1)
    await until('it goes on', () => probes().length >= before + 2)
  })

  t.test('a check that takes too long is ended, with all it started', async t => {
    const project = new TestProject(t, { table })
    const command = 'sh -c "echo \\$\\$ >> pids; exec sleep 1000" & wait'
    const web = await project.service('web', {
      command: 'exec sleep 1000',
      healthCheck: { type: 'command', command, timeout: 300 },
    })
    web.start()
    t.equal(await web.untilReason(/check/), 'the check timed out after 300 ms')
    await web.stop()
    const pids = readFileSync(join(project.dir, 'pids'), 'utf8').trim().split('\n').map(Number)
    await until('none is left', () => !pids.some(isAlive))
  })

  t.test('a line, and a prompt without an end; what an earlier run printed does not count', async t => {
    const project = new TestProject(t, { table })
    const command = `test -e again && { echo up; sleep 0.3; printf 'ready> '; exec sleep 1000; }; echo 'ready> '; touch again; exec sleep 1000`
    const web = await project.service('web', { command, healthCheck: { type: 'log', pattern: '^ready> $' } })
    web.start()
    await web.until('running', 'healthy')
    await web.stop()
    web.start()
    const before = project.views.length
    await web.until('running', 'healthy')
    t.ok(project.views.slice(before).some(({ status }) => status === 'starting'))
  })

  t.test('a catastrophic expression is said to be one, the service runs', async t => {
    const project = new TestProject(t, { table })
    const command = `echo ${'a'.repeat(60)}!; exec sleep 1000`
    const web = await project.service('web', { command, healthCheck: { type: 'log', pattern: '^(a+)+$' } })
    web.start()
    t.match(await web.until('running', 'unhealthy'), { reason: 'the regular expression timed out' })
  })

  t.test('READY=1, and STOPPING=1 after it', async t => {
    const project = new TestProject(t, { table })
    const script = `${testProgram} notify READY=1; while ! test -e stop; do sleep 0.02; done; ${testProgram} notify 'STOPPING=1
STATUS=draining'; exec sleep 1000`
    const web = await project.service('web', { command: script, healthCheck: { type: 'notify' } })
    web.start()
    await web.until('running', 'healthy')
    writeFileSync(join(project.dir, 'stop'), '')
    t.equal((await web.until('running', 'unhealthy')).reason, 'draining')
  })

  t.test('STATUS= before READY=1 is the reason meanwhile', async t => {
    const project = new TestProject(t, { table })
    const script = `${testProgram} notify 'STATUS=loading the model'; while ! test -e go; do sleep 0.02; done; ${testProgram} notify READY=1; exec sleep 1000`
    const web = await project.service('web', { command: script, healthCheck: { type: 'notify' }, readyTimeout: 5000 })
    web.start()
    await web.untilReason(/^loading the model$/)
    writeFileSync(join(project.dir, 'go'), '')
    t.equal((await web.until('running', 'healthy')).reason, null)
    const slow = await project.service('slow', {
      command: script.replace('go', 'never'),
      healthCheck: { type: 'notify' },
      readyTimeout: 700,
    })
    slow.start()
    t.equal((await slow.until('running', 'unhealthy')).reason, 'not ready within 0.7 s: loading the model')
  })

  t.test('READY=1 makes a service ready that has no check, though nothing answers on its port', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { command: `${testProgram} notify READY=1; exec sleep 1000` })
    web.start()
    await web.until('running', 'healthy')
  })

  t.test('past its time it is unhealthy, and says why; when it gets there, healthy', async t => {
    const project = new TestProject(t, { table })
    const command = `while ! test -e go; do sleep 0.02; done; ${project.serverCommand}`
    const web = await project.service('web', { command, readyTimeout: 400 })
    web.start()
    const { reason } = await web.until('running', 'unhealthy')
    t.match(reason, /^not ready within 0\.4 s: connection refused on 127\.0\.0\.1:\d+, \d+ tries$/)
    t.ok(
      project.views.some(
        ({ status, reason }) => status === 'starting' && reason?.startsWith('connection refused on 127.0.0.1'),
      ),
    )
    writeFileSync(join(project.dir, 'go'), '')
    t.equal((await web.until('running', 'healthy')).reason, null)
  })

  t.test('health goes on: three failures in a row, one success', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { healthCheck: { type: 'http', path: '/x', interval: 50, timeout: 300 } })
    web.start()
    await web.until('running', 'healthy')
    writeFileSync(join(project.dir, 'status'), '503')
    t.equal((await web.until('running', 'unhealthy')).reason, 'GET /x answered 503 (3 times in a row)')
    rmSync(join(project.dir, 'status'))
    t.equal((await web.until('running', 'healthy')).reason, null)
    writeFileSync(join(project.dir, 'status'), '0')
    t.equal((await web.until('running', 'unhealthy')).reason, 'GET /x timed out after 300 ms (3 times in a row)')
    t.equal(project.transitions('web').filter(status => status === 'running unhealthy').length, 2)
  })

  t.test('what runs in the place of one that does not is known by its port', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web')
    const { port = 0 } = web.plan
    web.state.set({ port })
    t.equal(await web.service.hasStandIn(), false)
    const server = await listen(t, port)
    t.equal(await web.service.hasStandIn(), true)
    project.ports.hold(port, 'other:web')
    t.equal(await web.service.hasStandIn(), false, 'another service of locald’s is none')
    project.ports.release(port, 'other:web')
    await new Promise(resolve => server.close(resolve))
    web.start()
    await web.until('running', 'healthy')
    t.equal(await web.service.hasStandIn(), false)
  })

  t.test('another user’s process that listens on the port before the service gets no requests', linux, async t => {
    let isTaken = true
    const shared = Object.assign(hostTable(), { isStrangers: async () => isTaken })
    const project = new TestProject(t, { table: shared })
    for (const type of [undefined, 'tcp', 'http'] as const) {
      isTaken = true
      rmSync(join(project.dir, 'go'), { force: true })
      const command = `while ! test -e go; do sleep 0.02; done; ${project.serverCommand}`
      const check = type === undefined ? {} : { healthCheck: { type } }
      const web = await project.service(`web-${type ?? 'none'}`, { command, ...check })
      web.start()
      await web.untilReason(/refused/)
      const { port = 0 } = web.plan
      const server = createHttpServer((_, response) => response.end()).listen(port, '127.0.0.1')
      await once(server, 'listening')
      const text = `a process of another user listens on 127.0.0.1:${port}`
      t.equal(await web.untilReason(/another user/), text)
      t.equal(web.service.address, undefined, 'nothing is sent there')
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      isTaken = false
      writeFileSync(join(project.dir, 'go'), '')
      await web.until('running', 'healthy')
      t.equal(web.service.address, '127.0.0.1')
    }
  })

  t.test('a look at what a service listens on that takes long is made seldom', async t => {
    const looks: { readonly from: number; readonly to: number }[] = []
    const slow: ProcessTable = Object.assign(hostTable(), {
      listeners: async () => {
        const from = performance.now()
        await setTimeout(300)
        looks.push({ from, to: performance.now() })
        return []
      },
    })
    const project = new TestProject(t, { table: slow })
    const web = await project.service('web', { command: 'exec sleep 1000', readyTimeout: 60_000 })
    web.start()
    await until('a second look', () => looks.length > 1, 30_000)
    for (const [at, { from }] of looks.entries()) {
      const before = looks[at - 1]
      if (before !== undefined) t.ok(from - before.to >= 9 * (before.to - before.from) - 50, `${from - before.to}`)
    }
  })

  t.test('one that listens elsewhere is told so, with its port', async t => {
    const project = new TestProject(t, { table })
    const other = (await project.service('other')).plan
    const web = await project.service('web', {
      command: `${project.serverCommand} ${other.port}`,
      readyTimeout: 60_000,
    })
    web.start()
    const text = `web listens on port ${other.port}, not on $PORT (${web.plan.port})`
    t.equal(await web.untilReason(/listens/), text)
    t.strictSame(project.warnings, [text])
  })

  t.test('a hook that fails at ready is the reason', async t => {
    const project = new TestProject(t, { table })
    project.hooks.ready.tap('test', () => {
      throw new Error('no route')
    })
    const web = await project.service('web')
    web.start()
    t.match((await web.until('running', 'unhealthy')).reason, 'no route')
  })
})

t.test('dependencies', async t => {
  t.test('started, ready, completed: each when it is so', async t => {
    const project = new TestProject(t, { table })
    const db = await project.service('db', {
      command: `while ! test -e go; do sleep 0.02; done; ${project.serverCommand}`,
    })
    const seed = await project.service('seed', { command: 'while ! test -e sown; do sleep 0.02; done', worker: true })
    const web = await project.service('web', { command: 'exec sleep 1000', worker: true }, [
      db.dependency('started'),
      db.dependency(),
      seed.dependency('completed'),
    ])
    const quick = await project.service('quick', { command: 'exec sleep 1000', worker: true }, [
      db.dependency('started'),
    ])
    for (const one of [db, seed, web, quick]) one.start()
    await quick.until('running', null)
    t.equal(web.state.now.status, 'waiting')
    t.match(web.state.now.reason, /^waiting for (db \(started\), )?db, seed \(completed\)$/)
    writeFileSync(join(project.dir, 'go'), '')
    t.equal(await web.untilReason(/^waiting for seed/), 'waiting for seed (completed)')
    writeFileSync(join(project.dir, 'sown'), '')
    await web.until('running', null)
  })

  t.test('one that cannot come any more fails those that wait for it', async t => {
    const project = new TestProject(t, { table })
    const broken = await project.service('broken', { command: 'exit 3', worker: true })
    const done = await project.service('done', { command: 'exit 0', worker: true })
    const stopped = await project.service('stopped', { command: 'exit 0', worker: true })
    const late = await project.service('late', { command: 'exec sleep 1000', readyTimeout: 100 })
    const waits = await Promise.all(
      [broken.dependency('started'), stopped.dependency(), broken.dependency('completed'), late.dependency()].map(
        (dependency, index) => project.service(`w${index}`, { worker: true }, [dependency]),
      ),
    )
    await broken.service.supervisor.stop()
    for (const one of [broken, done, late]) one.start()
    await broken.until('failed')
    await done.until('exited')
    for (const one of waits) one.start()
    const after = await project.service('after', { worker: true, command: 'exec sleep 1000' }, [done.dependency()])
    after.start()
    await after.until('running')
    const reasons = await Promise.all(waits.map(async one => (await one.until('failed')).reason))
    t.equal(reasons[0], 'broken failed: exited with code 3')
    t.equal(reasons[1], 'stopped is stopped')
    t.equal(reasons[2], 'broken failed: exited with code 3')
    t.match(reasons[3], /^late is unhealthy: not ready within 0\.1 s/)
  })

  t.test('what failed by one starts when it is ready after all, and can be stopped before', async t => {
    const project = new TestProject(t, { table })
    const db = await project.service('db', { command: `test -e fixed && ${project.serverCommand}; exit 3` })
    const api = await project.service('api', {}, [db.dependency()])
    const web = await project.service('web', {}, [api.dependency()])
    const batch = await project.service('batch', { worker: true }, [db.dependency()])
    for (const one of [db, api, web, batch]) one.start()
    t.equal((await web.until('failed')).reason, 'api failed: db failed: exited with code 3')
    await batch.until('failed')
    await batch.stop()
    writeFileSync(join(project.dir, 'fixed'), '')
    db.start()
    await web.until('running', 'healthy')
    t.strictSame(project.transitions('web').slice(0, 2), ['waiting null', 'failed null'])
    t.equal(batch.state.now.status, 'stopped')
  })
})

t.test('ends', async t => {
  t.test('the reason has the cause that the last run printed', async t => {
    const project = new TestProject(t, { table })
    const fails = await project.service('fails', { command: 'echo "Error: no database"; exit 3', worker: true })
    const missing = await project.service('missing', { command: 'nodee server.js', worker: true })
    const address = (await listen(t, 0)).address()
    const taken = typeof address === 'object' ? address?.port : undefined
    const port = await project.service('port', {
      command: `echo "Error: listen EADDRINUSE: address already in use :::${taken}"; exit 1`,
      worker: true,
    })
    const asks = await project.service('asks', { command: 'printf "Use another port? (y/N) "; exec sleep 1000' })
    for (const one of [fails, missing, port, asks]) one.start()
    t.equal((await fails.until('failed')).reason, 'exited with code 3: Error: no database')
    t.equal((await missing.until('failed')).reason, 'exited with code 127: command not found: nodee')
    t.match((await port.until('failed')).reason, new RegExp(`EADDRINUSE.*in use by .*pid ${process.pid}`))
    t.match(await asks.untilReason(/question/), /^connection refused on .*: Use another port\? \(y\/N\)$/)
  })

  t.test('crashes: again and again, later each time, then it gives up', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { command: 'exit 1', worker: true, restart: 'on-failure' })
    web.start()
    t.match(await web.until('failed'), {
      reason: 'gave up after 5 crashes in 60 s (last: exited with code 1)',
      restarts: 4,
      pid: null,
    })
    const reasons = project.views.filter(({ status }) => status === 'restarting').map(({ reason }) => reason)
    t.strictSame(
      [...new Set(reasons)],
      ['0.1', '0.2', '0.4', '0.8'].map(
        (delay, index) => `exited with code 1; restarting in ${delay} s (attempt ${index + 1} of 5)`,
      ),
    )
    t.equal(project.hooksRun.filter(name => name === 'gone web').length, 5)
    web.start()
    t.equal((await web.until('restarting')).restarts, 1, 'begins anew when it is asked to')
  })

  t.test('by policy', async t => {
    const project = new TestProject(t, { table })
    const end = async (restart: 'no' | 'on-failure' | 'always', code: number) => {
      const web = await project.service(`${restart}-${code}`, { command: `exit ${code}`, worker: true, restart })
      web.start()
      await web.state.until(() => ['exited', 'failed', 'restarting'].includes(web.state.now.status))
      return web.state.now.status
    }
    t.equal(await end('no', 0), 'exited')
    t.equal(await end('no', 1), 'failed')
    t.equal(await end('on-failure', 0), 'exited')
    t.equal(await end('always', 0), 'restarting')
  })

  t.test('a policy changed while it runs holds for its end', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', {
      command: 'while ! test -e go; do sleep 0.02; done; exit 1',
      worker: true,
      restart: 'always',
    })
    web.start()
    await web.until('running')
    const { plan } = web.plan
    web.service.supervisor.update({ ...web.plan, plan: { ...plan, common: { ...plan.common, restart: 'no' } } })
    writeFileSync(join(project.dir, 'go'), '')
    t.equal((await web.until('failed')).reason, 'exited with code 1')
  })

  t.test('the arithmetic of the backoff', async t => {
    const policy = new RestartPolicy()
    const crash: Exit = { code: null, signal: 'SIGSEGV' }
    const delays: number[] = []
    let now = 0
    for (let round = 0; round < 12; round++) {
      now += 61_000
      const decision = policy.decide('on-failure', crash, 5000, now)
      if (decision.kind === 'restart') delays.push(decision.delayMs)
    }
    t.strictSame(
      delays,
      [1, 2, 4, 8, 16, 32, 64, 100, 100, 100, 100, 100].map(times => times * firstDelayMs),
    )
    t.equal(delays.at(-1), longestDelayMs)
    t.match(policy.decide('on-failure', crash, steadyMs, now + 61_000), { delayMs: firstDelayMs })
    policy.forget()
    for (let round = 1; round < crashLimit; round++)
      t.match(policy.decide('always', { code: 0, signal: null }, 0, now + round), { kind: 'restart' })
    t.match(policy.decide('always', { code: 0, signal: null }, 0, now + 9), {
      kind: 'failed',
      reason: /gave up after 5 exits in 60 s/,
    })
    t.equal(exitText(crash), 'terminated by SIGSEGV')
    t.match(exitText({ code: null, signal: null }), 'while the daemon was down')
  })

  t.test(
    'one that goes to the background lives on if it has a port; a worker is ended with its main process, what a failed one left too',
    async t => {
      const project = new TestProject(t, { table })
      const background = `${setsid} ${project.serverCommand.replace('exec ', '')} & sleep 0.1; exit 0`
      const web = await project.service('web', { command: background })
      web.start()
      await web.until('running', 'healthy')
      // Its port may answer before the end of its main process is seen.
      await web.state.until(() => web.state.now.pid === null, AbortSignal.timeout(15_000))
      t.match(project.warnings, [/^main process of web exited with code 0; tracking its remaining child processes$/])
      await web.stop()
      const bad = await project.service('bad', {
        command: `sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.1; done' & sleep 0.5; exit 7`,
        worker: true,
        restart: 'no',
        stopTimeout: 2_000,
      })
      bad.start()
      await bad.untilReason(/^main process exited with code 7; terminating leftover processes$/)
      t.match(bad.state.view(), { status: 'running', pid: null })
      await bad.until('failed')
      t.match(bad.state.view(), { reason: 'exited with code 7' })
      t.equal(project.warnings.length, 1, 'it was not taken for one in the background')
      const worker = await project.service('worker', { command: 'sleep 1000 & exit 0', worker: true })
      worker.start()
      await worker.until('exited')
    },
  )
})

t.test('stop', async t => {
  t.test('while it waits', async t => {
    const project = new TestProject(t, { table })
    const db = await project.service('db', { command: 'exec sleep 1000', readyTimeout: 60_000 })
    const web = await project.service('web', {}, [db.dependency()])
    db.start()
    web.start()
    await web.untilReason(/waiting for db/)
    await db.untilReason(/refused/)
    await web.stop()
    t.match(web.state.view(), { status: 'stopped', reason: null })
    t.strictSame(project.hooksRun, ['starting db'])
  })

  t.test('while it prepares, also if that does not end', async t => {
    const project = new TestProject(t, { table })
    for (const isDeaf of [false, true]) {
      const entered = deferred<void>()
      const driver: ServiceType<unknown> = {
        ...project.driver,
        prepare: run =>
          new Promise((_, reject) => {
            entered.resolve()
            if (!isDeaf) run.signal.addEventListener('abort', () => reject(new Error('told')))
          }),
      }
      const web = await project.service(`web-${isDeaf}`, { driver, stopTimeout: 100 })
      web.start()
      await entered.promise
      await web.stop()
      t.equal(web.state.now.status, 'stopped')
      t.equal(project.hooksRun.at(-1), `gone web-${isDeaf}`)
    }
  })

  t.test('while it is started: what comes late is ended', async t => {
    const project = new TestProject(t, { table })
    const entered = deferred<void>()
    const go = deferred<void>()
    const late = deferred<Instance>()
    const driver: ServiceType<unknown> = {
      ...project.driver,
      start: async run => {
        entered.resolve()
        await go.promise
        const instance = await project.driver.start(run)
        late.resolve(instance)
        return instance
      },
    }
    const web = await project.service('web', { command: 'exec sleep 1000', driver, stopTimeout: 100 })
    web.start()
    await entered.promise
    await web.stop()
    t.equal(web.state.now.status, 'stopped')
    go.resolve()
    t.match(await within((await late.promise).exited, 'its end'), { signal: 'SIGTERM' })
  })

  t.test('before it is ready, and in its pause before a restart', async t => {
    const project = new TestProject(t, { table })
    const slow = await project.service('slow', { command: 'exec sleep 1000' })
    slow.start()
    await slow.untilReason(/refused/)
    const { pid } = slow.state.now
    await slow.stop()
    t.notOk(isAlive(pid ?? 0))
    const crashing = await project.service('crashing', { command: 'exit 1', worker: true, restart: 'always' })
    crashing.start()
    await crashing.until('restarting')
    await crashing.stop()
    t.equal(crashing.state.now.status, 'stopped')
    t.equal(crashing.service.supervisor.active, false)
  })

  t.test('what ignores it is killed after its time; several at once are one', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', {
      command: `exec ${testProgram} stubborn 2`,
      worker: true,
      stopTimeout: 150,
    })
    web.start()
    await web.until('running')
    const { pid } = web.state.now
    await Promise.all([web.stop(), web.stop(), web.stop()])
    t.equal(web.state.now.status, 'stopped')
    t.notOk(isAlive(pid ?? 0))
  })

  t.test('what has ended, or never ran, is stopped then', async t => {
    const project = new TestProject(t, { table })
    const failed = await project.service('failed', { command: 'exit 1', worker: true })
    failed.start()
    await failed.until('failed')
    await failed.stop()
    t.match(failed.state.view(), { status: 'stopped', reason: null })
    const never = await project.service('never')
    await never.stop()
    t.equal(never.state.now.status, 'stopped')
  })

  t.test('to be started again, it shows that it restarts', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web')
    web.start()
    await web.until('running', 'healthy')
    await within(web.service.supervisor.stop('restarting', 'web.js changed'), 'stops')
    t.match(web.state.view(), { status: 'restarting', reason: 'web.js changed' })
    web.start()
    await web.until('running', 'healthy')
  })

  t.test('a driver that cannot stop it is told of', async t => {
    const project = new TestProject(t, { table })
    const driver: ServiceType<unknown> = {
      ...project.driver,
      start: async run => {
        const instance = await project.driver.start(run)
        t.teardown(() => instance.stop({ signal: 'SIGKILL', graceMs: 0 }))
        const { pid, startedMs, exited, state } = instance
        return { pid, startedMs, exited, state, stop: () => Promise.reject(new Error('the engine is gone')) }
      },
    }
    const web = await project.service('web', { command: 'exec sleep 1000', worker: true, driver })
    web.start()
    await web.until('running')
    await web.stop()
    t.strictSame(project.warnings, ['web could not be stopped: the engine is gone'])
  })
})

t.test('ports', async t => {
  t.test('one that a stranger takes between two runs is changed for another', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { restart: 'on-failure' })
    web.start()
    const first = await web.until('running', 'healthy')
    process.kill(first.pid ?? 0, 'SIGKILL')
    await web.until('restarting')
    await listen(t, first.port ?? 0)
    const then = await web.until('running', 'healthy')
    t.not(then.port, first.port)
    t.equal((await fetch(`http://127.0.0.1:${then.port}`)).status, 200)
  })

  t.test('a fixed one is not: it says who has it', async t => {
    const project = new TestProject(t, { table })
    const { port = 0 } = (await project.service('other')).plan
    await listen(t, port)
    const web = await project.service('web', { port, restart: 'on-failure' })
    web.start()
    t.match(
      (await web.until('failed')).reason,
      new RegExp(`^port ${port} of shop:web is in use by .*pid ${process.pid}`),
    )
    t.equal(web.service.supervisor.active, false)
  })

  t.test('two daemons that chose the same one at the same time both get there', async t => {
    const data = makeFolder()
    const [one, two] = [new TestProject(t, { table, data }), new TestProject(t, { table, data })]
    const first = await one.service('web', { restart: 'on-failure' })
    const second = await two.service('web', { restart: 'on-failure' })
    t.equal(first.plan.port, second.plan.port)
    first.start()
    second.start()
    const ports = new Set<number | null>()
    await until('both run', () => {
      ports.clear()
      for (const { state } of [first, second]) if (state.now.health === 'healthy') ports.add(state.now.port)
      return ports.size === 2
    })
    t.equal(ports.size, 2)
    await Promise.all([first.stop(), second.stop()])
    removeFolder(data)
  })

  t.test('what is held is given back', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web')
    web.start()
    await web.until('running', 'healthy')
    const { port = 0 } = web.plan
    t.throws(() => project.ports.hold(port, 'x:y'), { code: 'PORT_TAKEN' })
    await web.stop()
    project.ports.hold(port, 'x:y')
  })
})

t.test('a later daemon', async t => {
  /** The first daemon's service runs; the second one's is as that of a daemon started after a kill -9 of the first. */
  async function handOver(t: Test, wanted: Parameters<TestProject['service']>[1] = {}) {
    const data = makeFolder()
    // Run last: a keeper makes the folder of its log anew while its service runs.
    t.teardown(() => removeFolder(data))
    const before = new TestProject(t, { table, data })
    const old = await before.service('web', wanted)
    old.start()
    await old.until('running')
    before.records.flush()
    const after = new TestProject(t, { table, data })
    const [record] = after.records.services()
    if (record === undefined) throw new Error('no record')
    const web = await after.service('web', wanted)
    web.state.set({ port: record.port })
    const { env, fingerprint, dir } = record
    web.service.recall({ ...web.plan, env, fingerprint, dir }, record.address)
    const adopt = async () => after.processes.adopt(record.state, web.service.log)
    return { old, after, web, record, adopt }
  }

  t.test('takes over what runs: the same process, ready at once, its end is judged', async t => {
    const { old, after, web, record, adopt } = await handOver(t, { env: { NAME: 'it' }, restart: 'on-failure' })
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    t.match(record, { ready: true, env: { NAME: 'it' }, address: '127.0.0.1' })
    t.equal(web.service.address, '127.0.0.1')
    web.start({ instance, ready: record.ready })
    t.match(await web.until('running', 'healthy'), { pid: old.state.now.pid, port: old.state.now.port })
    t.notOk(after.transitions('web').includes('starting starting'))
    t.throws(() => after.ports.hold(web.plan.port ?? 0, 'x:y'), { code: 'PORT_TAKEN' }, 'its port is held')
    process.kill(instance.pid ?? 0, 'SIGKILL')
    await web.until('restarting')
    await web.until('running', 'healthy')
  })

  t.test('goes on waiting for one that was not ready', async t => {
    const { after, web, adopt } = await handOver(t, {
      command: `test -e go || { touch go; sleep 0.3; }; exec '${process.execPath}' server.cjs`,
    })
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    web.start({ instance, ready: false })
    t.equal(web.state.now.status, 'starting')
    t.equal(web.state.now.health, 'starting')
    await web.until('running', 'healthy')
    t.ok(after.hooksRun.includes('ready web'))
  })

  t.test('ends what was to be stopped and had not been told so yet', async t => {
    const { old, web, record, adopt } = await handOver(t)
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    web.start({ instance, ready: record.ready })
    await web.stop()
    t.equal(web.state.now.status, 'stopped')
    t.notOk(isAlive(old.state.now.pid ?? 0), 'it has ended when its stop has')
  })

  t.test('and does not take what lives a moment longer than its main process for the service', async t => {
    const { after, web, record, adopt } = await handOver(t, {
      command: `'${process.execPath}' server.cjs & (trap '' TERM; exec sleep 100) & trap 'exit 0' TERM; wait`,
      stopTimeout: 300,
    })
    const instance = await adopt()
    if (instance === undefined) throw new Error('not found')
    web.start({ instance, ready: record.ready })
    await web.stop()
    t.strictSame(after.warnings, [])
  })

  t.test('learns of an end that came meanwhile, and starts it again', async t => {
    const { old, web, adopt } = await handOver(t, { restart: 'on-failure' })
    const { pid } = old.state.now
    const gone = old.service.supervisor.instance?.exited
    process.kill(pid ?? 0, 'SIGKILL')
    await gone
    await old.stop()
    const instance = await adopt()
    if (instance === undefined) throw new Error('no record')
    web.start({ instance, ready: true })
    t.match(await web.untilReason(/SIGKILL/), /restarting in/)
    t.not((await web.until('running', 'healthy')).pid, pid)
  })
})

t.test('limits', async t => {
  const abort = new AbortController()
  const done = unlessStopped(Promise.resolve(1), abort.signal, 10)
  t.equal(await done, 1)
  const late: number[] = []
  const step = deferred<number>()
  const left = unlessStopped(step.promise, abort.signal, 20, it => late.push(it))
  const inTime = unlessStopped(
    pause(5).then(() => 2),
    abort.signal,
    10_000,
  )
  // Before it rejects: on a busy machine that is before the other is waited for.
  const refused = t.rejects(left, /stopped/)
  abort.abort(new Error('stopped'))
  t.equal(await inTime, 2)
  await refused
  step.resolve(3)
  await null
  t.strictSame(late, [3])
})

t.test('operations, one after the other', async t => {
  const queue = new OperationQueue()
  const order: string[] = []
  const gate = deferred<void>()
  const first = queue.run(async () => {
    await gate.promise
    order.push('first')
  })
  const second = queue.run(async () => {
    order.push('second')
    throw new Error('wrong')
  })
  const third = queue.run(async signal => {
    order.push(`third ${signal.aborted}`)
  })
  queue.cancel(new Error('closing'))
  gate.resolve()
  await first
  await t.rejects(second, /wrong/)
  await third
  t.strictSame(order, ['first', 'second', 'third true'])
})
