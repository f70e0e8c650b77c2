import type { Topic } from '../../../kernel/contract/plugin.ts'
import type { ExchangeView } from '../provides.ts'
import { followChanges } from './changes.ts'
import type { Recorded } from './routes.ts'

/** The topic `requests`: each exchange as a row when it begins, when its response does, and when that is complete. */
export function requestTopic(recorded: () => Recorded): Topic {
  return {
    name: 'requests',
    async open({ services, tail, after, signal, push }) {
      const { recorder, inspector } = recorded()
      const fits = ({ service }: ExchangeView): boolean =>
        services.length === 0 || (service !== null && services.includes(service))
      const { position } = recorder
      const missed = recorder.since(after)
      const wanted =
        after === undefined && tail !== undefined ? missed.slice(missed.length - Math.min(tail, missed.length)) : missed
      const following = followChanges(recorder, inspector, {
        signal,
        take: (next, rows) => push(next, rows.filter(fits)),
      })
      push(position, (await inspector.rows(wanted)).filter(fits))
      await following
    },
  }
}
