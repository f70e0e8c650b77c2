import t from 'tap'
import { OperationQueue, pause, withResolvers, withStopGrace } from '../../../kernel/system/async.ts'

t.test('limits', async t => {
  const abort = new AbortController()
  const done = withStopGrace(Promise.resolve(1), abort.signal, 10)
  t.equal(await done, 1)
  const late: number[] = []
  const step = withResolvers<number>()
  const left = withStopGrace(step.promise, abort.signal, 20, it => late.push(it))
  const inTime = withStopGrace(
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

t.test('runs operations one after the other', async t => {
  const queue = new OperationQueue()
  const order: string[] = []
  const gate = withResolvers<void>()
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
