import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hostTable } from '../../../lib/machine.ts'
import { until } from '../../../lib/running.ts'
import { TestProject } from '../../../lib/test-service.ts'

const table = hostTable()

t.test('a service that ignores $PORT', async t => {
  t.test('uses the only port that a service without a written one listens on, with any check', async t => {
    const project = new TestProject(t, { table })
    for (const type of [undefined, 'http', 'log'] as const) {
      const name = `web-${type ?? 'none'}`
      const other = (await project.service(`other-${name}`)).plan.port ?? 0
      const check =
        type === 'log' ? { healthCheck: { type, pattern: 'listening' } as const } : type && { healthCheck: { type } }
      const web = await project.service(name, { command: `${project.serverCommand} ${other}`, ...check })
      web.start()
      await web.until('running', 'healthy')
      await until('its port', () => web.state.now.port === other)
      const text = `${name} listens on port ${other}, not on $PORT (${web.plan.port}): using ${other}`
      t.strictSame(project.warnings.splice(0), [text])
      t.equal(web.service.foundPort, other)
      project.records.flush()
      t.match(
        project.records.services().find(({ service }) => service === name),
        { port: web.plan.port, foundPort: other },
      )
      await web.service.supervisor.stop()
      web.start()
      await until('a run that may listen elsewhere', () => web.service.foundPort === undefined)
      await until('its port again', () => web.state.now.port === other)
      await web.until('running', 'healthy')
      project.warnings.length = 0
    }
  })

  t.test('of several other ports, uses the one in a URL that the service printed', async t => {
    const project = new TestProject(t, { table })
    const [first, second] = [
      (await project.service('first')).plan.port ?? 0,
      (await project.service('second')).plan.port ?? 0,
    ]
    const program = `
      const http = require('node:http')
      const answer = (_, response) => response.end()
      http.createServer(answer).listen(${first}, '127.0.0.1', () => http.createServer(answer).listen(${second}, '127.0.0.1'))
      setTimeout(() => console.log('  Local:   http://localhost:\\x1b[1m${second}\\x1b[22m/'), 2500)`
    writeFileSync(join(project.dir, 'two.cjs'), program)
    const web = await project.service('web', { command: `exec '${process.execPath}' two.cjs`, readyTimeout: 60_000 })
    web.start()
    t.match(await web.untilReason(/listens/), /listens on port \d+, not on \$PORT/)
    await web.until('running', 'healthy')
    t.equal(web.state.now.port, second)
    t.equal(web.state.now.reason, null)
  })

  t.test('of several other ports in printed URLs, uses the one with a page', async t => {
    const project = new TestProject(t, { table })
    const [api, page] = [(await project.service('api')).plan.port ?? 0, (await project.service('page')).plan.port ?? 0]
    const program = `
      const serve = (port, type) => require('node:http')
        .createServer((_, response) => response.setHeader('content-type', type).end())
        .listen(port, '127.0.0.1', () => console.log('http://localhost:' + port))
      serve(${api}, 'application/json')
      serve(${page}, 'text/html; charset=utf-8')`
    writeFileSync(join(project.dir, 'both.cjs'), program)
    const web = await project.service('web', { command: `exec '${process.execPath}' both.cjs`, readyTimeout: 60_000 })
    web.start()
    await web.until('running', 'healthy')
    t.equal(web.state.now.port, page)
  })

  t.test('gives another port up for its own, as soon as it listens there', async t => {
    const project = new TestProject(t, { table })
    const other = (await project.service('other')).plan.port ?? 0
    const program = `
      const { createServer } = require('node:http')
      const listen = port => createServer((_, response) => response.end()).listen(port, '127.0.0.1')
      listen(${other})
      process.once('SIGUSR2', () => listen(process.env.PORT))`
    writeFileSync(join(project.dir, 'late.cjs'), program)
    const web = await project.service('web', { command: `exec '${process.execPath}' late.cjs` })
    web.start()
    await until('the other port', () => web.state.now.port === other && web.state.now.health === 'healthy')
    process.kill(web.state.now.pid ?? 0, 'SIGUSR2')
    await until('its own port', () => web.state.now.port === web.plan.port)
    t.equal(web.service.foundPort, undefined)
    t.match(web.state.now, { status: 'running', health: 'healthy' })
    t.equal(project.warnings.at(-1), `web listens on $PORT (${web.plan.port}) now: using it instead of ${other}`)
    project.records.flush()
    const [record] = project.records.services()
    t.match(record, { port: web.plan.port })
    t.notOk(record !== undefined && 'foundPort' in record)
  })

  t.test('gives a port up for that of a URL which the service prints later', async t => {
    const project = new TestProject(t, { table })
    const [first, second] = [
      (await project.service('first')).plan.port ?? 0,
      (await project.service('second')).plan.port ?? 0,
    ]
    const program = `
      const { createServer } = require('node:http')
      const listen = port => createServer((_, response) => response.end()).listen(port, '127.0.0.1')
      listen(${first}).once('listening', () => console.log('not http://localhost:99999/ nor http://localhost:0/'))
      process.once('SIGUSR2', () => listen(${second}).once('listening', () => console.log('http://localhost:${second}/')))`
    writeFileSync(join(project.dir, 'later.cjs'), program)
    const web = await project.service('web', { command: `exec '${process.execPath}' later.cjs` })
    web.start()
    await until('the first port', () => web.state.now.port === first && web.state.now.health === 'healthy')
    process.kill(web.state.now.pid ?? 0, 'SIGUSR2')
    await until('the printed port', () => web.state.now.port === second)
    t.equal(web.service.foundPort, second)
    t.equal(project.warnings.at(-1), `web listens on port ${second} now: using it instead of ${first}`)
  })

  t.test('is not stood in for by what listens on that port after its exit', async t => {
    const project = new TestProject(t, { table })
    const other = (await project.service('other')).plan.port ?? 0
    const web = await project.service('web', { command: `${project.serverCommand} ${other}` })
    web.start()
    await until('the other port', () => web.state.now.port === other && web.state.now.health === 'healthy')
    await web.stop()
    const next = await project.service('next', { command: `${project.serverCommand} ${other}` })
    next.start()
    await until('the same port', () => next.state.now.port === other && next.state.now.health === 'healthy')
    t.equal(await web.service.hasStandIn(), false)
    t.equal(web.state.now.port, web.plan.port)
    t.equal(web.service.foundPort, undefined)
  })
})
