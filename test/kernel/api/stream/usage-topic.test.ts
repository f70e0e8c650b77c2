import t from 'tap'
import { usageTopic } from '../../../../kernel/api/stream/usage-topic.ts'

t.test('samples again after one that failed', { timeout: 20_000 }, async t => {
  let calls = 0
  const topic = usageTopic(async () => {
    calls += 1
    if (calls === 1) throw new Error('EMFILE: too many open files')
    return [{ key: 'shop:web', cpu: 1, memory: 1024 * 1024 }]
  })
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
