import t from 'tap'
import { done, state, stream, view } from '../fake-daemon.ts'
import { project } from '../follow/project.ts'
import { Screen } from '../screen.ts'

t.test('redraws lines in place, cut to the width, never in CI', async t => {
  const { daemon } = await project(t)
  const long = 'a reason that is much too long for a line of eighty columns, as reasons like to be'
  const steps = [
    state('web', { status: 'waiting', reason: long }),
    state('web', { status: 'starting' }),
    { event: 'warning', message: 'mind the gap' },
    { event: 'step', key: 'shop:web', text: 'pulling', progress: { done: 1, total: 2 } },
    state('web'),
    state('seed', { status: 'exited', health: null, reason: 'exited with code 0' }),
  ]
  daemon.on('POST /v1/projects/up', response => {
    const next = () => {
      const event = steps.shift()
      if (event === undefined) response.end(`${JSON.stringify(done(view('web')))}\n`)
      else response.write(`${JSON.stringify(event)}\n`, () => setTimeout(next, 200))
    }
    next()
  })
  const screen = new Screen(t, daemon, ['up', '--detach'])
  t.equal(await screen.ends(), 'code 0, restored')
  t.match(screen.text, /\x1b\[1A\r\x1b\[2K[-\\|/] web/)
  t.match(screen.text, /\r\x1b\[J +\S*warning\S* mind the gap\r\n/, 'what a warning may wrap onto is cleared before it')
  t.match(screen.text, 'pulling 50%')
  t.match(screen.text, /seed .*exited .* with code 0/)
  t.notMatch(screen.text, 'exited with code 0', 'a reason does not repeat the state')
  const drawn = screen.text.split('\r\n').map(text => text.replace(/\x1b\[[\d;]*[A-Za-z]|\r/g, ''))
  t.ok(
    drawn.every(text => text.length < 80),
    'no line wraps',
  )
  t.notOk(
    daemon.asked.some(asked => asked.path === '/v1/logs'),
    'it does not follow',
  )

  daemon.on('POST /v1/projects/up', stream(state('web', { status: 'starting' }), state('web'), done(view('web'))))
  const ci = new Screen(t, daemon, ['up'], { CI: 'true' })
  t.equal(await ci.ends(), 'code 0, restored')
  t.notMatch(ci.text, /\x1b\[\d*A/)
  const plain = new Screen(t, daemon, ['up', '--detach'], { NO_COLOR: '1', TERM: 'dumb' })
  t.equal(await plain.ends(), 'code 0, restored')
  t.notMatch(plain.text, '\x1b')
})
