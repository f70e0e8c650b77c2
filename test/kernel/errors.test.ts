import t from 'tap'
import { exitCodeOf, LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import { Events, type LocaldEvent } from '../../kernel/events.ts'
import { withExitGuard } from '../../kernel/plugins/exit-guard.ts'
import { pause, withResolvers, withTimeout } from '../../kernel/system/async.ts'

t.test('errors', async t => {
  const cause = new Error('deep')
  const problems = [{ message: 'm', file: '/f', line: 1, key: 'k' }]
  const error = new LocaldError('PORT_TAKEN', 'port 80 is taken', {
    hint: 'Free it.',
    service: 'shop:web',
    problems,
    cause,
  })
  t.equal(error.cause, cause)
  t.ok(error instanceof Error)
  t.strictSame(JSON.parse(JSON.stringify({ error })), {
    error: { code: 'PORT_TAKEN', message: 'port 80 is taken', hint: 'Free it.', service: 'shop:web', problems },
  })
  t.strictSame(
    new LocaldError('INTERNAL', 'm').toJSON(),
    { code: 'INTERNAL', message: 'm' },
    'nothing that is not there',
  )
  t.strictSame(LocaldError.fromJSON(error.toJSON()).toJSON(), error.toJSON())
  t.equal(LocaldError.from(error), error)
  t.match(LocaldError.from('a text'), { code: 'INTERNAL', message: 'a text', cause: 'a text' })
  const strange: { code: never; message: string } = JSON.parse('{ "code": "FROM_THE_FUTURE", "message": "m" }')
  t.equal(LocaldError.fromJSON(strange).code, 'INTERNAL')
  t.equal(LocaldError.fromJSON(JSON.parse('{ "code": "toString", "message": "m" }')).code, 'INTERNAL')
})

t.test('errors of another copy of the package', async t => {
  // What a plugin with its own copy of locald throws: same brand, another class.
  const foreign = (code: unknown) => Object.assign(new Error('m'), { [Symbol.for('locald.error')]: true, code })
  t.equal(LocaldError.is(foreign('PORT_TAKEN')), true)
  t.equal(LocaldError.is(foreign('OF_A_LATER_VERSION')), false, 'a code that is not known here has no meaning here')
  t.equal(LocaldError.is(foreign('constructor')), false)
  t.match(LocaldError.from(foreign('OF_A_LATER_VERSION')), { code: 'INTERNAL', message: 'm' })
  for (const value of [undefined, null, 'text', 7, {}, new Error('m')]) t.equal(LocaldError.is(value), false)
})

t.test('exit codes', async t => {
  t.strictSame(
    (['USAGE', 'CONFIG_INVALID', 'SERVICE_FAILED', 'INTERNAL', 'WAIT_TIMEOUT'] as const).map(exitCodeOf),
    [2, 2, 1, 1, 124],
  )
})

t.test('returns a message for any thrown value', async t => {
  t.equal(messageOf(new Error('m')), 'm')
  t.equal(messageOf(new TypeError('')), 'TypeError')
  t.equal(messageOf(new AggregateError([new Error('a'), 'b'])), 'a; b')
  t.equal(messageOf(new AggregateError([], 'm')), 'm')
  t.equal(
    messageOf(new Error('spawn Unknown system error -86')),
    'spawn EBADARCH: a program for another kind of processor',
    'of macOS, where libuv has no name for it',
  )
  t.equal(messageOf(new Error('spawn Unknown system error -863')), 'spawn Unknown system error -863')
  t.equal(messageOf('text'), 'text')
  t.equal(messageOf(''), '(no message)')
  t.equal(messageOf(undefined), 'undefined')
  t.equal(messageOf(Symbol('s')), 'Symbol(s)')
  t.equal(messageOf({ message: 'm' }), 'm')
  t.equal(messageOf({}), '[object Object]')
  t.equal(messageOf(Object.create(null)), '(unprintable error)')
  const throws = {
    get message(): string {
      throw new Error('no')
    },
  }
  t.equal(messageOf(throws), '(unprintable error)')
  t.equal(systemCode(Object.assign(new Error('m'), { code: 'ENOENT' })), 'ENOENT')
  for (const value of [undefined, null, 'ENOENT', {}, { code: 7 }]) t.equal(systemCode(value), undefined)
})

t.test('events', async t => {
  const failed: unknown[] = []
  const events = new Events(error => failed.push(error))
  const seen: string[] = []
  const boom = new Error('boom')
  const listener = ({ event }: LocaldEvent) => void seen.push(event)
  const off = events.on(listener)
  events.on(() => {
    throw boom
  })
  const offTwin = events.on(listener)
  events.emit({ event: 'removed', key: 'shop:web' })
  t.strictSame(seen, ['removed', 'removed'], 'after the one that throws, too')
  t.strictSame(failed, [boom])
  off()
  off()
  events.emit({ event: 'removed', key: 'shop:web' })
  t.equal(seen.length, 3, 'one function listening twice is two listeners')
  offTwin()
  const late = events.on(() => events.on(listener))
  events.emit({ event: 'removed', key: 'shop:web' })
  t.equal(seen.length, 3, 'a listener added during an event gets the next')
  late()
})

t.test('limits', async t => {
  const late = () => new Error('late')
  t.equal(await withTimeout(1000, Promise.resolve(7), late), 7)
  await t.rejects(withTimeout(1000, Promise.reject(new Error('own')), late), { message: 'own' })
  await t.rejects(withTimeout(5, new Promise(() => {}), late), { message: 'late' })
  const rejected = withResolvers<void>()
  await t.rejects(
    withTimeout(
      1,
      rejected.promise.then(() => Promise.reject(new Error('too late'))),
      late,
    ),
    { message: 'late' },
  )
  rejected.resolve()
  await new Promise(setImmediate)
  t.pass('a rejection after the limit is ignored')

  await pause(1)
  const stop = new AbortController()
  const paused = pause(100_000, stop.signal)
  stop.abort()
  await paused
  await pause(100_000, stop.signal)
  t.pass('a pause ends with its signal')
})

t.test('foreign code cannot exit the process', async t => {
  const { exit } = process
  const message = 'the plugin called process.exit()'
  await t.rejects(
    withExitGuard(() => process.exit(1)),
    { message },
  )
  await t.rejects(
    withExitGuard(async () => {
      await new Promise(done => setTimeout(done, 1))
      process.exit()
    }),
    { message },
  )
  t.equal(process.exit, exit, 'given back')
  t.equal(await withExitGuard(async () => 7), 7)

  const gate = withResolvers<void>()
  const first = withExitGuard(() => gate.promise)
  const second = withExitGuard(async () => process.exit(1))
  await t.rejects(second, { message })
  t.not(process.exit, exit, 'the other one runs yet')
  const calls: unknown[] = []
  t.teardown(() => {
    process.exit = exit
  })
  gate.resolve()
  await first
  t.equal(process.exit, exit)

  // The real exit stays within reach of everyone else: here it is replaced by one that records its calls.
  process.exit = code => {
    calls.push(code)
    throw new Error('real exit')
  }
  const again = withResolvers<void>()
  const guarded = withExitGuard(() => again.promise)
  t.throws(() => process.exit(5), { message: 'real exit' })
  t.strictSame(calls, [5])
  again.resolve()
  await guarded
})
