import type { ServiceView } from '../../../../kernel/events.ts'
import { place } from '../state/place.ts'
import { keys, projects, serviceOf } from '../state/services.ts'
import { stateOf } from '../state/words.ts'
import type { Context } from './registry.ts'

/**
 * Returns what keys act on: the service of the row that has the focus, else that of the place, else the only one in the
 * filter, else the first that has failed; but among requests none, where the same keys act on a request.
 */
export function presentContext(): Context {
  const row = document.activeElement?.closest('[data-service]')
  const key = row instanceof HTMLElement ? row.dataset['service'] : undefined
  return contextOf(key ?? place.peek().service ?? filtered() ?? fallback())
}

/** Returns the context of a service. */
export function contextOf(key: string | undefined): Context {
  const service = key === undefined ? undefined : serviceOf(key).peek()
  return { service, project: projectOf(service) }
}

function projectOf(service: ServiceView | undefined): Context['project'] {
  return projects.peek().find(({ path }) => path === service?.path)
}

function filtered(): string | undefined {
  const all = place.peek().query.getAll('service')
  return all.length === 1 ? all[0] : undefined
}

function fallback(): string | undefined {
  if (place.peek().screen === 'requests') return undefined
  return keys.peek().find(key => {
    const view = serviceOf(key).peek()
    return view !== undefined && stateOf(view).shape === 'bad'
  })
}
