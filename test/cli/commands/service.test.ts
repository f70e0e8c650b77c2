import t from 'tap'
import { done, json, state, stream, view } from '../fake-daemon.ts'
import { project } from '../follow/project.ts'
import { Screen } from '../screen.ts'

t.test('service reset asks for confirmation on a terminal only', async t => {
  const { daemon } = await project(t)
  const isAsked = () => daemon.asked.some(asked => asked.path === '/v1/services/reset')
  daemon
    .on('GET /v1/services/keys', json({ keys: ['shop:db'] }))
    .on('POST /v1/services/reset', stream(state('db'), done(view('db'))))
  for (const answer of ['\r', 'n\r', 'yep\r', '\x03', '\x04']) {
    const screen = new Screen(t, daemon, ['service', 'reset', 'db'])
    await screen.shows('Delete the data of shop:db and start it empty? [y/N] ')
    screen.press(answer)
    t.equal(await screen.ends(), 'code 1, restored', JSON.stringify(answer))
    t.match(screen.text, 'Nothing was changed')
  }
  t.notOk(isAsked(), 'no is the default')
  const screen = new Screen(t, daemon, ['service', 'reset', 'db'])
  await screen.shows('[y/N] ')
  screen.press('y\r')
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, 'Reset db')
  daemon.asked.splice(0)
  const sure = new Screen(t, daemon, ['service', 'reset', 'db', '-y'])
  t.equal(await sure.ends(), 'code 0, restored')
  t.match(await daemon.run(['service', 'reset', 'db']), { code: 0, stdout: 'Reset db\n' })
  t.notOk(daemon.asked.some(asked => asked.path === '/v1/services/keys'))
})
