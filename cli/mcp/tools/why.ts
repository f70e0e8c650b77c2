import type { ServiceView } from '../../../kernel/events.ts'
import type { KeysAnswer, StatusAnswer } from '../../../kernel/protocol.ts'
import { explain, explanationList, isTroubled } from '../explain.ts'
import { describePlace, findPlace } from '../place.ts'
import { countStates } from '../services.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly services?: readonly string[]
}

/** A service that has run for so long since its last crash needs no explanation: the restart policy forgets it. ms */
const lateMs = 60_000

/** Why services are in their state. */
export const why = defineTool<Args>({
  name: 'why',
  title: 'Explain a state',
  description:
    'Explains why services are not ready or have failed: what they wait for, exit codes, last lines, and what has changed since they were healthy, most likely cause first. Without names: all that are not ready, or have just crashed.',
  input: { services: { type: 'array', items: { type: 'string' }, description: 'Names of services' } },
  output: explanationList,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  async run(session, { project, services = [] }) {
    const daemon = await session.daemon()
    const place = await findPlace(session, daemon, project)
    const { path } = place
    const views = (await daemon.get<StatusAnswer>('/v1/services', { path })).services
    const keys =
      services.length > 0
        ? (await daemon.get<KeysAnswer>('/v1/services/keys', { path, service: services })).keys
        : views.filter(view => isTroubled(view) || hasCrashed(view)).map(({ key }) => key)
    const none = views.length === 0 ? 'Nothing is running here: call `up`.' : 'Every service is ready or stopped.'
    return {
      head: `${describePlace(place)}\n${keys.length === 0 ? none : countStates(views)}`,
      facts: { project: place },
      list: 'explanations',
      items: (await explain(daemon, path, keys)).map(each => ({ text: each.text, data: each })),
    }
  },
})

/** Whether a service that is ready at the moment was restarted after a crash, and may crash again. */
function hasCrashed({ restarts, startedAt }: ServiceView): boolean {
  return restarts > 0 && startedAt !== null && Date.now() - Date.parse(startedAt) < lateMs
}
