import type { ServiceView } from '../../kernel/events.ts'
import type { Words } from '../args/parse.ts'
import type { Style } from './terminal.ts'

/** What a service is doing in one word, its health counted in: `ready` is running and not known to be unwell. */
export function stateOf(view: ServiceView): string {
  if (view.status !== 'running') return view.status
  return view.health === 'healthy' || view.health === null ? 'ready' : view.health
}

/** Whether there is something to say about a service's state. */
export function isWell(view: ServiceView): boolean {
  const state = stateOf(view)
  return state === 'ready' || state === 'stopped'
}

/** Whether the service will not change by itself any more. */
export function isOver(view: ServiceView): boolean {
  return view.status === 'stopped' || view.status === 'exited' || view.status === 'failed'
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

/** The colour of a state, status or health. */
export function styleOf(state: string): Style {
  return styles[state] ?? 'gray'
}

/** How a command writes the key of a service. */
export type Namer = (key: string) => string

/** With its project where a command may reach more than one, else without. */
export function namerFor({ names, flags, spec }: Pick<Words, 'names' | 'flags' | 'spec'>): Namer {
  const isOfAll = flags.has('all') || spec?.name === 'server shutdown'
  return isOfAll || names.some(name => name.includes(':')) ? key => key : shortName
}

/** The name within its project of `project:service`. */
export function shortName(key: string): string {
  return key.slice(key.indexOf(':') + 1)
}
