import { LocaldError } from '../../../kernel/errors.ts'
import type { StatusAnswer, StatusView } from '../../../kernel/protocol.ts'
import { callerEnvironment } from '../../context.ts'
import type { Client } from '../../daemon/client.ts'
import { formatDuration } from '../../output/humanize.ts'
import { shortName, stateOf } from '../../output/service-state.ts'
import { explain, isTroubled } from '../explain.ts'
import { defaultSeconds, followDone, type Outcome, timeoutSchema } from '../operation.ts'
import type { Item, Report } from '../pages.ts'
import { describePlace, findPlace, type Place } from '../place.ts'
import { serviceItem, serviceList, starterOf } from '../services.ts'
import type { Session } from '../session.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly services?: readonly string[]
  readonly timeout?: number
}

const names = {
  type: 'array',
  items: { type: 'string' },
  description: 'Names of services; default: all of the project',
}
const input = { services: names, ...timeoutSchema }
const annotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: true }
const output = {
  ...serviceList,
  ok: { type: 'boolean' },
  problem: { type: ['string', 'null'] },
} as const

/** Starts services and waits. */
export const up = defineTool<Args>({
  name: 'up',
  title: 'Start the project',
  description:
    'Starts the services of the project in order and returns when all are ready, or why one failed: reason, last lines, likely cause. Services that run already keep running: call it instead of starting a dev server in a shell.',
  ...{ input, output, annotations },
  async run(session, { project, services, timeout }) {
    const daemon = await session.daemon()
    const place = await findPlace(session, daemon, project)
    const before = await readViews(daemon, place)
    const lease = session.lease()
    const body = { path: place.path, ...namesOf(services), ...(lease === undefined ? {} : { lease }) }
    const request = { path: '/v1/projects/up', doing: 'starting the project' }
    const outcome = await withEnvironment(body, whole => followDone(daemon, { ...request, body: whole }, timeout))
    const running = new Map(before.filter(({ pid }) => pid !== null).map(({ key, pid }) => [key, pid]))
    const note = (view: StatusView) =>
      running.has(view.key) && running.get(view.key) === view.pid ? describeEarlier(session, view) : 'started now'
    return await reportOutcome(session, daemon, place, outcome, note)
  },
})

/** Restarts services and waits. */
export const restart = defineTool<Args & { readonly dependents?: boolean }>({
  name: 'restart',
  title: 'Restart services',
  description:
    'Restarts services after a change and returns when they are ready, or why one failed. Without names it restarts the whole project.',
  input: { ...input, dependents: { type: 'boolean', description: 'Also restart what depends on them' } },
  output,
  annotations: { ...annotations, idempotentHint: false },
  async run(session, { project, services, dependents = false, timeout }) {
    const daemon = await session.daemon()
    const place = await findPlace(session, daemon, project)
    const body = { path: place.path, ...namesOf(services), ...(dependents ? { dependents } : {}) }
    const request = { path: '/v1/projects/restart', body, doing: 'restarting services' }
    const outcome = await withEnvironment(body, whole => followDone(daemon, { ...request, body: whole }, timeout))
    return await reportOutcome(session, daemon, place, outcome)
  },
})

/** Waits for services. */
export const wait = defineTool<Args>({
  name: 'wait',
  title: 'Wait for services',
  description: 'Waits until services are ready; returns at once with the reason when one has failed. Starts nothing.',
  ...{ input, output },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  async run(session, { project, services, timeout = defaultSeconds }) {
    const daemon = await session.daemon()
    const place = await findPlace(session, daemon, project)
    const body = { path: place.path, ...namesOf(services), timeoutMs: timeout * 1000 }
    const request = { path: '/v1/services/wait', body, doing: 'waiting for services' }
    return await reportOutcome(session, daemon, place, await followDone(daemon, request, timeout + 5))
  },
})

/**
 * Starts in the environment of the project's last `up`, as clients of MCP start their servers with a poor one; in this
 * process's own where there is no other.
 */
async function withEnvironment<Body extends object>(
  body: Body,
  operate: (body: Body & { readonly env?: Readonly<Record<string, string>> }) => Promise<Outcome>,
): Promise<Outcome> {
  const own = () => operate({ ...body, env: callerEnvironment() })
  try {
    const outcome = await operate(body)
    return outcome.done?.error?.code === 'ENVIRONMENT_UNKNOWN' ? await own() : outcome
  } catch (error) {
    if (!LocaldError.is(error) || error.code !== 'ENVIRONMENT_UNKNOWN') throw error
    return await own()
  }
}

function namesOf(services: readonly string[] | undefined): { readonly services?: readonly string[] } {
  return services === undefined || services.length === 0 ? {} : { services }
}

async function readViews(daemon: Client, { path }: Place): Promise<readonly StatusView[]> {
  return (await daemon.get<StatusAnswer>('/v1/services', { path })).services
}

function describeEarlier(session: Session, view: StatusView): string {
  const { startedAt } = view
  const age = startedAt === null ? '' : `, started ${formatDuration(Date.now() - Date.parse(startedAt))} ago`
  return `already running${age} by ${starterOf(session, view) ?? 'the user'}`
}

/** Reports the states, then what failed and why. */
async function reportOutcome(
  session: Session,
  daemon: Client,
  known: Place,
  outcome: Outcome,
  note?: (view: StatusView) => string | undefined,
): Promise<Report> {
  // The first `up` of a folder has made it known.
  const place = await findPlace(session, daemon, known.path)
  const { done, views, warnings } = outcome
  const error = done?.error === undefined ? undefined : LocaldError.fromJSON(done.error)
  const troubled = views.filter(isTroubled).filter(view => done === undefined || stateOf(view) !== 'exited' || !done.ok)
  const explanations =
    done?.ok === true
      ? []
      : await explain(
          daemon,
          place.path,
          troubled.map(({ key }) => key),
        )
  const warned = warnings.map(
    (text): Item => ({ text: `Warning: ${text}`, data: { name: '', state: 'warning', reason: text } }),
  )
  const explained = explanations.map(
    ({ service, text }): Item => ({ text, data: { name: shortName(service), state: 'explanation', reason: text } }),
  )
  const states = new Map((await readViews(daemon, place)).map(view => [view.key, view]))
  const services = views
    .map(view => states.get(view.key) ?? view)
    .map(view => serviceItem(session, view, note === undefined ? {} : { note }))
  return {
    head: `${describePlace(place)}\n${describeOutcome(outcome, error)}`,
    facts: {
      project: place,
      ok: done?.ok === true,
      problem: done?.ok === true ? null : describeOutcome(outcome, error),
    },
    list: 'services',
    // Why comes first: it is what the model needs.
    items: [...explained, ...services, ...warned],
    ...(done?.ok === true ? {} : { isError: done !== undefined }),
  }
}

function describeOutcome({ done, views }: Outcome, error: LocaldError | undefined): string {
  if (done === undefined) return 'Not ready yet; it goes on. Call `wait`, or `why` for what it waits for.'
  if (done.ok) return views.length === 0 ? 'The project has no services.' : 'All are ready.'
  const failed = views.filter(view => ['failed', 'unhealthy'].includes(stateOf(view))).map(({ name }) => name)
  if (error !== undefined)
    return `${error.message} [${error.code}]${error.hint === undefined ? '' : ` Hint: ${error.hint}`}`
  return failed.length === 0
    ? 'Some services are not ready.'
    : `Failed: ${failed.join(', ')}. Fix the cause below, then call \`restart\`.`
}
