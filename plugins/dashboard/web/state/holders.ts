/** Who keeps projects running, as `locald status` says it: no event is about leases, so it is asked after changes. */
import { signal } from '@preact/signals'
import type { StatusAnswer, StatusView } from '../../../../kernel/protocol.ts'
import { get } from '../api.ts'
import { onEvent } from './services.ts'

/** By the folder of the project: `lease of claude (pid 4711)`; not there: started without a lease, or by several. */
export const holders = signal<ReadonlyMap<string, string>>(new Map())

/** Changes that come together ask once, ms. */
const togetherMs = 500
/** A lease of a time shows what is left of it: ms. */
const againMs = 30_000

/** Begins to follow the leases. */
export function startHolders(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const ask = (): void => {
    timer = undefined
    void get<StatusAnswer>('/services', { path: '/', all: true }).then(
      ({ services }) => {
        holders.value = holdersOf(services)
        if (holders.value.size > 0) timer ??= setTimeout(ask, againMs)
      },
      // The old ones stay; the shell shows a lost daemon.
      () => undefined,
    )
  }
  onEvent(event => {
    if (event.event !== 'service' && event.event !== 'removed') return
    clearTimeout(timer)
    timer = setTimeout(ask, togetherMs)
  })
  ask()
}

/** Names the owner of the leases of each project, where all services that it runs have the same. */
function holdersOf(services: readonly StatusView[]): ReadonlyMap<string, string> {
  const held = services.filter(({ startedBy }) => startedBy !== null && startedBy !== undefined)
  const byPath = Map.groupBy(held, ({ path }) => path)
  return new Map(
    [...byPath].flatMap(([path, own]) => {
      const owners = new Set(own.map(({ startedBy, leases = [] }) => (leases.length > 0 ? startedBy : undefined)))
      const [owner] = owners
      return owners.size === 1 && owner !== undefined && owner !== null ? [[path, owner] as const] : []
    }),
  )
}
