import type { ServiceView } from '../../kernel/events.ts'
import type { StatusView } from '../../kernel/protocol.ts'
import type { ParsedArgs } from '../args/parse.ts'
import type { Style } from './terminal.ts'

/** Returns a service's state in one word, its health included: `ready` is running and not known to be unhealthy. */
export function stateOf(view: ServiceView): string {
  if (view.status !== 'running') return view.status
  return view.health === 'healthy' || view.health === null ? 'ready' : view.health
}

/** Whether a service is ready or stopped: there is no reason to print. */
export function isAsExpected(view: ServiceView): boolean {
  const state = stateOf(view)
  return state === 'ready' || state === 'stopped'
}

/** Whether the service stays in its state without a command: one that sleeps does not. */
export function isSettled(view: ServiceView): boolean {
  return (view.status === 'stopped' && view.asleep !== true) || view.status === 'exited' || view.status === 'failed'
}

/** Whether a process of a service runs, or is about to: there is something to stop. */
export function isActive({ pid, status }: Pick<ServiceView, 'pid' | 'status'>): boolean {
  return pid !== null || (status !== 'stopped' && status !== 'exited' && status !== 'failed')
}

/** Whether a list shows a service: a hidden one only when it has failed, or is one of the named ones. */
export function isListed(view: ServiceView, names: readonly string[] = []): boolean {
  const state = stateOf(view)
  return view.hidden !== true || state === 'failed' || state === 'unhealthy' || isNamed(view, names)
}

function isNamed({ name, key }: ServiceView, names: readonly string[]): boolean {
  return names.includes(name) || names.includes(key)
}

/** Which services `locald status` is about. */
export interface Selection {
  readonly all: boolean
  /** With `all`: stopped ones, too. */
  readonly known: boolean
  readonly names: readonly string[]
}

/**
 * Whether `locald status` shows a service. Of all projects, without `known`, those that run, have failed, sleep or are
 * meant to run; otherwise what `isListed` says.
 */
export function isShown(view: StatusView, { all, known, names }: Selection): boolean {
  if (!all) return isListed(view, names)
  const isOver = view.status === 'stopped' || view.status === 'exited'
  return known || !isOver || view.asleep === true || view.startedBy !== null
}

const styles: Readonly<Record<string, Style>> = {
  ready: 'green',
  healthy: 'green',
  running: 'green',
  waiting: 'yellow',
  starting: 'yellow',
  restarting: 'yellow',
  stopping: 'yellow',
  stopped: 'gray',
  exited: 'gray',
  failed: 'red',
  unhealthy: 'red',
}

/** Returns the colour of a state, status or health. */
export function styleOf(state: string): Style {
  return styles[state] ?? 'gray'
}

/** Returns the name that a command prints for the key of a service. */
export type Namer = (key: string) => string

/** Returns names with their project where a command may reach more than one, else without. */
export function namerFor({
  positionals,
  flags,
  command,
}: Pick<ParsedArgs, 'positionals' | 'flags' | 'command'>): Namer {
  const isOfAll = flags.has('all') || command?.name === 'server shutdown'
  return isOfAll || positionals.some(name => name.includes(':')) ? key => key : shortName
}

/** As `namerFor`, for these services: with their projects where they are of several. */
export function namerOf(args: Parameters<typeof namerFor>[0], services: readonly ServiceView[]): Namer {
  return new Set(services.map(view => view.path)).size > 1 ? key => key : namerFor(args)
}

/** Returns the name within its project of `project:service`. */
export function shortName(key: string): string {
  return key.slice(key.indexOf(':') + 1)
}
