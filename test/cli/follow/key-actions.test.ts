import t, { type Test } from 'tap'
import { done, json, state, stream, view } from '../fake-daemon.ts'
import { Screen } from '../screen.ts'
import { line, project } from './project.ts'

/** A project of two services, followed by `up`. */
async function open(t: Test) {
  const { daemon, logs, events } = await project(t)
  const services = [view('web'), view('db', { url: null })]
  daemon.on('POST /v1/projects/up', stream(...services.map(({ name }) => state(name)), done(...services)))
  const listens = new Promise<void>(resolve => daemon.whenAsked('/v1/events', resolve))
  const screen = new Screen(t, daemon, ['up'])
  await screen.shows('? for more keys')
  await screen.shows('hello')
  await listens
  const print = (service: string, text: string) =>
    logs.at(-1)?.write(line(text).replace('shop:web', `shop:${service}`).replace('000001', `00${Math.random()}`))
  return { daemon, screen, events, print }
}

/** Leaves, and checks the terminal. */
async function detach(t: Test, screen: Screen): Promise<void> {
  screen.press('d')
  t.equal(await screen.ends(), 'code 0, restored')
}

t.test('? lists the keys, Enter makes an empty line, other keys and arrows do nothing', async t => {
  const { daemon, screen } = await open(t)
  screen.press('?')
  await screen.shows('stop · d detach\x1b[39m\r\n')
  screen.press('\x1b[D\x1b[Cxq5')
  const before = screen.text
  screen.press('\r')
  screen.press('?')
  await screen.shows(`${before}\r\n`)
  await detach(t, screen)
  t.notOk(daemon.asked.some(({ path }) => /stop|restart/.test(path)))
})

t.test('l chooses the logs of one service, and then of all', async t => {
  const { screen, print } = await open(t)
  screen.press('l')
  await screen.shows('logs of (Esc: all): 1 web  2 db')
  print('web', 'held while the menu is shown')
  screen.press('2')
  await screen.shows('logs of db only; l or Esc: all')
  print('web', 'unseen')
  print('db', 'of db')
  await screen.shows('of db')
  screen.press('\x1b')
  await screen.shows('logs of all services')
  print('web', 'again of web')
  await screen.shows('again of web')
  t.notMatch(screen.text, 'unseen')
  t.notMatch(screen.text, 'held while')
  await detach(t, screen)
})

t.test('r restarts what is shown, and says how it went; Ctrl-C works meanwhile', async t => {
  const { daemon, screen, events } = await open(t)
  daemon.on('POST /v1/projects/restart', response => {
    // All are stopped for a moment.
    for (const name of ['web', 'db']) {
      events.at(-1)?.write(`${JSON.stringify(state(name, { status: 'stopped', health: null }))}\n`)
    }
    setTimeout(() => {
      for (const name of ['web', 'db']) events.at(-1)?.write(`${JSON.stringify(state(name, { pid: 7 }))}\n`)
      response.end(`${JSON.stringify(done(view('web'), view('db')))}\n`)
    }, 800)
  })
  screen.press('r')
  await screen.shows('restarting all services')
  screen.press('r')
  await screen.shows('a restart is running')
  await screen.shows('locald | restarted')
  t.match(daemon.last('/v1/projects/restart').body, { path: daemon.home, services: undefined })
  screen.press('l')
  await screen.shows('1 web')
  screen.press('1')
  daemon.on('POST /v1/projects/restart', response => void response.writeHead(200).flushHeaders())
  const asked = new Promise<void>(resolve => daemon.whenAsked('/v1/projects/restart', resolve))
  screen.press('r')
  await screen.shows('restarting web')
  await asked
  t.match(daemon.last('/v1/projects/restart').body, { services: ['shop:web'] })
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 0, restored')
  t.equal(daemon.asked.filter(({ path }) => path === '/v1/projects/stop').length, 1)
})

t.test('o opens the URL, and an error of a key stops nothing', async t => {
  const { daemon, screen } = await open(t)
  daemon.on('GET /v1/services/open', json({ url: 'https://shop.localhost', argv: null, hint: 'No browser here.' }))
  screen.press('o')
  await screen.shows('locald | https://shop.localhost')
  await screen.shows('No browser here.')
  daemon.on(
    'GET /v1/services/open',
    json({ error: { code: 'SERVICE_NOT_RUNNING', message: 'it has no\x1b[2J URL', problems: [] } }, 409),
  )
  screen.press('O')
  await screen.shows('no URL')
  await detach(t, screen)
})

t.test('Ctrl-C in a menu stops the project', async t => {
  const { screen } = await open(t)
  screen.press('a')
  await screen.shows('attach to (Esc: none): 1 web  2 db')
  screen.press('\x1b')
  screen.press('l')
  await screen.shows('logs of')
  screen.press('\x03')
  t.equal(await screen.ends(), 'code 0, restored')
})
