import { mock } from 'node:test'
import t from 'tap'
import { usageTopic } from '../../../../kernel/api/stream/usage-topic.ts'

const never = () => () => undefined

t.test('samples less often while nothing changes, and soon again after an event', { timeout: 20_000 }, async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let calls = 0
  let cpu = 0
  let listener: () => void = never
  const topic = usageTopic(
    async () => {
      calls += 1
      return [{ key: 'shop:web', cpu, memory: 0 }]
    },
    added => {
      listener = added
      return () => (listener = never)
    },
  )
  const stop = new AbortController()
  const client = { services: [], tail: undefined, after: undefined, signal: stop.signal, push: () => undefined }
  void topic.open({ ...client, send: async () => undefined })
  /** Passes time, and lets a sample end. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      mock.timers.tick(1000)
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
    return calls
  }
  t.equal(await pass(3), 2, 'two in the first seconds')
  t.equal(await pass(30), 5, 'after 4, 8 and 16 s')
  listener()
  t.equal(await pass(2), 6, 'two seconds after an event')
  cpu = 50
  await pass(5)
  const busy = calls
  t.equal(await pass(10), busy + 2, 'a change that lasts is none: 4 and 8 s')
  stop.abort()
  const stopped = calls
  t.equal(await pass(60), stopped)
  t.equal(listener, never, 'listens no longer')
})

t.test('samples again after one that failed', { timeout: 20_000 }, async t => {
  let calls = 0
  const topic = usageTopic(async () => {
    calls += 1
    if (calls === 1) throw new Error('EMFILE: too many open files')
    return [{ key: 'shop:web', cpu: 1, memory: 1024 * 1024 }]
  }, never)
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const value = await new Promise(resolve => {
    const push = (_: string, values: readonly unknown[]) => resolve(values[0])
    const client = { services: [], tail: undefined, after: undefined, signal: stop.signal }
    void topic.open({ ...client, push, send: async () => undefined })
  })
  t.match(value, { services: [{ key: 'shop:web', cpu: 1 }], daemon: { memory: Number } })
  t.equal(calls, 2)
})
