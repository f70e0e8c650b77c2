import t from 'tap'
import type { ContainerEvent } from '../../../../plugins/container/calls/event-lines.ts'
import { EngineEvents } from '../../../../plugins/container/calls/events.ts'
import { engineOf } from '../fake-engine.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }

/** Watches a container until its first event, as an instance does. */
function firstEvent(events: EngineEvents, id: string): Promise<ContainerEvent> {
  return new Promise(resolve => {
    const off = events.watch(id, Date.now(), event => {
      off()
      resolve(event)
    })
  })
}

t.test('an event of a container that was not watched yet is for its watcher', async t => {
  const lines = ['{"ID":"quick","Status":"died","ContainerExitCode":3}', '{"ID":"other","Status":"remove"}']
  const script = `printf '%s\\n' '${lines.join("' '")}'; exec sleep 1000`
  const events = new EngineEvents(
    engineOf(() => ({ argv: ['sh', '-c', script], env: {} })),
    'owner',
    log,
  )
  t.teardown(() => events.close())
  // Keeps the stream open.
  events.watch('third', Date.now(), () => {})
  t.strictSame(await firstEvent(events, 'other'), { kind: 'removed' })
  t.strictSame(await firstEvent(events, 'quick'), { kind: 'died', code: 3 })
})
