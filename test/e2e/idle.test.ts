import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { IdleProject } from '../lib/idle-project.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** Longer than services run without use, and the looks at it: ms. */
const longMs = 2200

t.test('services stop when they are not used', async t => {
  const box = new Sandbox(t)
  const project = new IdleProject(box, { db: [], web: ['db'], events: [], tunnel: [], slow: [], direct: [] })
  const { folder } = project
  const cwd = { cwd: folder }
  await box.ok(['server', 'start'])
  const port = await project.findPort()
  const started = (await box.up(folder)).find(event => event.event === 'done')
  const open = async (name: string, head: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(`GET ${head}\r\nHost: ${name}.shop.localhost\r\n\r\n`)
    await once(socket, 'data')
    return socket
  }
  const pass = () => new Promise(wake => setTimeout(wake, longMs))

  await t.test('not while a stream, a tunnel, a long request or a connection to their port is open', async t => {
    const events = await open('events', '/events HTTP/1.1\r\nAccept: text/event-stream')
    const tunnel = await open('tunnel', '/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo')
    const direct = connect(started?.services.find(({ name }) => name === 'direct')?.port ?? 0, '127.0.0.1')
    await once(direct, 'connect')
    const slow = project.ask('slow', '/slow')
    await pass()
    for (const name of ['events', 'tunnel', 'slow', 'direct']) t.notOk(await project.isStopped(name), name)
    t.equal((await slow).body, '0 bytes')
    for (const socket of [events, tunnel, direct]) socket.destroy()
    await project.stopped('events', 'tunnel', 'slow', 'direct')
  })

  await t.test('their dependencies after them, with a reason', async t => {
    await project.stopped('web', 'db')
    const reason = 'idle for 1s; starts at the next request'
    t.match(await box.service(folder, 'web'), { status: 'stopped', reason, pid: null })
    t.match((await box.ok(['status'], cwd)).stdout, reason)
    t.match((await box.ok(['why', 'web'], cwd)).stdout, /web is stopped: idle for 1s.*[\s\S]*since \d\d:/)
  })

  await t.test('not when they were started by name, nor while a command uses their environment', async t => {
    await box.up(folder, ['events'])
    const command = box.start(['run', 'web', '--', 'sleep', '200600'], cwd)
    await until('the command', () => box.processes().some(({ command }) => /^sleep 200600$/.test(command)))
    await until('the dependency to wake', async () => !(await project.isStopped('db')))
    await project.ask('web', '/')
    await pass()
    t.notOk(await project.isStopped('events'))
    t.notOk(await project.isStopped('web'))
    t.notOk(await project.isStopped('db'))
    command.child.kill()
    await command.done
    await box.up(folder)
    await project.stopped('events', 'web', 'db')
  })
})

t.test('a service that runs stops without use from a plain `up`, or from its changed file', async t => {
  const box = new Sandbox(t)
  const project = new IdleProject(box, { web: [] })
  const { folder } = project
  await box.up(folder, ['web'])
  await box.up(folder)
  await project.stopped('web')
  const file = join(folder, 'locald.toml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('idle = "1s"\n', ''))
  await box.up(folder)
  t.notOk(await project.isStopped('web'))
  writeFileSync(file, text)
  await project.stopped('web')
})
