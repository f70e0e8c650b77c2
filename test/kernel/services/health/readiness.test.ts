import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { ProcessTable } from '../../../../kernel/contract/plugin.ts'
import { isAlive, ownFolder } from '../../../lib/keeper.ts'
import { buildTestProgram } from '../../../lib/keeper-programs.ts'
import { hostTable, onlyLinux } from '../../../lib/machine.ts'
import { listen } from '../../../lib/ports.ts'
import { until } from '../../../lib/running.ts'
import { TestProject } from '../../../lib/test-service.ts'

const testProgram = buildTestProgram(ownFolder(t))

const table = hostTable()

const linux = { skip: onlyLinux('sees processes of other users') }

t.test('readiness', async t => {
  t.test('finds a service that listens only on ::1, with any check', async t => {
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

  t.test('a worker without a check runs at once', async t => {
    const project = new TestProject(t, { table })
    const queue = await project.service('queue', { command: 'exec sleep 1000', worker: true })
    queue.start()
    await queue.until('running', null)
    const quick = await project.service('quick', { command: 'exit 0', worker: true })
    quick.start()
    t.equal((await quick.until('exited')).reason, 'exited with code 0')
  })

  t.test("runs a command check in the service's folder and environment, at its interval", async t => {
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

  t.test('kills a check that times out, with its children', async t => {
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

  t.test('matches a line or a prompt, but no output of an earlier run', async t => {
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

  t.test('reports a catastrophic expression, the service runs', async t => {
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

  t.test('shows STATUS= as the reason until READY=1', async t => {
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

  t.test('READY=1 makes a service without a check ready before its port answers', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { command: `${testProgram} notify READY=1; exec sleep 1000` })
    web.start()
    await web.until('running', 'healthy')
  })

  t.test('is unhealthy with a reason after the ready timeout, healthy once it answers', async t => {
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

  t.test('becomes unhealthy after three failures in a row, healthy after one success', async t => {
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

  t.test('detects a stand-in for a stopped service by its port', async t => {
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

  t.test('sends no requests to another user’s process that listens on the port first', linux, async t => {
    let isTaken = true
    const shared = Object.assign(hostTable(), { reachesOtherUser: async () => isTaken })
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

  t.test('looks for listeners less often when a look takes long', async t => {
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

  t.test('warns of a service that listens on another port than the one in its file', async t => {
    const project = new TestProject(t, { table })
    const [other, own] = [(await project.service('other')).plan, (await project.service('own')).plan]
    const web = await project.service('web', {
      command: `${project.serverCommand} ${other.port}`,
      port: own.port,
      readyTimeout: 60_000,
    })
    web.start()
    const text = `web listens on port ${other.port}, not on $PORT (${web.plan.port})`
    t.equal(await web.untilReason(/listens/), text)
    t.strictSame(project.warnings, [text])
  })

  t.test('shows a failed ready hook as the reason', async t => {
    const project = new TestProject(t, { table })
    project.hooks.ready.tap('test', () => {
      throw new Error('no route')
    })
    const web = await project.service('web')
    web.start()
    t.match((await web.until('running', 'unhealthy')).reason, 'no route')
  })
})
