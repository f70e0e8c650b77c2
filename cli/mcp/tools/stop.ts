import { LocaldError } from '../../../kernel/errors.ts'
import type { KeysAnswer, StatusAnswer } from '../../../kernel/protocol.ts'
import { formatDuration } from '../../output/humanize.ts'
import { isActive, shortName } from '../../output/service-state.ts'
import { followDone } from '../operation.ts'
import { describePlace, findPlace } from '../place.ts'
import { serviceItem, serviceList, starterOf } from '../services.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly services?: readonly string[]
  readonly all?: boolean
  readonly force?: boolean
}

/** Stops services; those that someone else has started only by force. */
export const stop = defineTool<Args>({
  name: 'stop',
  title: 'Stop services',
  description:
    'Stops the named services, dependents first, or with `all` the whole project. What you have not started yourself is refused unless you pass `force`: do that only when the user asks for it.',
  input: {
    services: { type: 'array', items: { type: 'string' }, description: 'Names of services' },
    all: { type: 'boolean', description: 'All services of the project' },
    force: { type: 'boolean', description: 'Also stop what you have not started' },
  },
  output: serviceList,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  async run(session, { project, services = [], all = false, force = false }) {
    const daemon = await session.findDaemon()
    const place = await findPlace(session, daemon, project)
    const head = (text: string) => `${describePlace(place)}\n${text}`
    const facts = { project: place }
    if (daemon === undefined) return { head: head('Nothing is running.'), facts, list: 'services', items: [] }
    if (services.length === 0 && !all)
      throw new LocaldError('USAGE', 'no service is named', {
        hint: 'Use `services`, or `all: true` for the whole project.',
      })
    const { path } = place
    const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service: services })
    const before = (await daemon.get<StatusAnswer>('/v1/services', { path, service: keys })).services
    const running = before.filter(isActive)
    const foreign = running.filter(view => !session.owns(view))
    if (foreign.length > 0 && !force) {
      const names = foreign.map(view => {
        const { key, startedAt } = view
        const age = startedAt === null ? '' : ` ${formatDuration(Date.now() - Date.parse(startedAt))} ago`
        return `${shortName(key)} (started${age} by ${starterOf(session, view) ?? 'someone else'})`
      })
      throw new LocaldError('USAGE', `not started by you: ${names.join(', ')}; nothing was stopped`, {
        hint: 'Leave it running, or ask the user and pass `force: true`. To apply a change, call `restart`.',
      })
    }
    const body = { path, services: keys }
    const request = { path: '/v1/projects/stop', body, doing: 'stopping services' }
    const { done } = keys.length === 0 ? { done: undefined } : await followDone(daemon, request)
    const after = (await daemon.get<StatusAnswer>('/v1/services', { path, service: keys })).services
    const text =
      running.length === 0 ? 'Nothing of it was running.' : done?.ok === true ? 'Stopped.' : 'Not all have stopped.'
    return { head: head(text), facts, list: 'services', items: after.map(view => serviceItem(session, view)) }
  },
})
