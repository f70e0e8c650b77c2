import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { ServiceView } from '../../../../kernel/events.ts'
import { Mark } from '../parts/mark.tsx'
import { type Group, groups, isActive } from '../state/groups.ts'
import { pending } from '../state/pending.ts'
import { hrefOf, place } from '../state/place.ts'
import { isLoaded, keys, serviceOf } from '../state/services.ts'
import { shortName, stateOf } from '../state/words.ts'

/** From so many services on there is a field to filter them. */
const many = 15
/** Of a project with more services, the rest is shown on request. */
const shownAtOnce = 40

/** Projects and their services. */
export function Rack() {
  const filter = useSignal('')
  const list = useRef<HTMLElement>(null)
  const words = filter.value.trim().toLowerCase()
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') moveFocus(list.current, event)
  }
  return (
    <nav class="rack" aria-label="Projects" ref={list} onKeyDown={onKeyDown}>
      {keys.value.length >= many && (
        <input
          type="search"
          class="rack-filter"
          placeholder="Filter services"
          aria-label="Filter services"
          value={filter.value}
          onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
        />
      )}
      {groups.value.map(group => (
        <Project key={group.path} group={group} words={words} />
      ))}
      {isLoaded.value && groups.value.length === 0 && <p class="rack-empty dim">No projects</p>}
    </nav>
  )
}

function Project({ group, words }: { readonly group: Group; readonly words: string }) {
  const isAll = useSignal(false)
  const { path, name, branch, services } = group
  const isOwn = `${name} ${branch ?? ''}`.toLowerCase().includes(words)
  const found = isOwn ? services : services.filter(key => shortName(key).toLowerCase().includes(words))
  if (words !== '' && found.length === 0 && !(isOwn && services.length > 0)) return null
  const shown = isAll.value || found.length <= shownAtOnce ? found : found.slice(0, shownAtOnce)
  const hidden = found.length - shown.length
  return (
    <section aria-label={branch === undefined ? name : `${name}, branch ${branch}`}>
      <h2 class={isActive(group) ? '' : 'off'} title={path}>
        <span class="name">{name}</span>
        {branch !== undefined && <span class="branch">{branch}</span>}
        {isActive(group) ? <Count keys={services} /> : <span class="count">stopped</span>}
      </h2>
      {shown.map(key => (
        <RackService key={key} id={key} />
      ))}
      {hidden > 0 && (
        <button type="button" class="rest" onClick={() => (isAll.value = true)}>
          {hidden} hidden, show
        </button>
      )}
    </section>
  )
}

function Count({ keys }: { readonly keys: readonly string[] }) {
  if (keys.length === 0) return null
  const ready = keys.filter(key => {
    const view = serviceOf(key).value
    const shape = view && stateOf(view).shape
    return shape === 'ok' || shape === 'done'
  })
  return (
    <span class="count num" title={`${ready.length} of ${keys.length} are ready`}>
      {ready.length} / {keys.length}
    </span>
  )
}

function RackService({ id }: { readonly id: string }) {
  const view = serviceOf(id).value
  if (view === undefined) return null
  const word = pending.value.get(id)
  const state = word === undefined ? stateOf(view) : { shape: 'wait' as const, word }
  const isCurrent = place.value.service === id
  const detail =
    state.shape === 'ok' ? (view.port === null ? view.type : `:${view.port}`) : (briefly(view) ?? state.word)
  return (
    <a
      class={`svc ${state.shape}`}
      href={hrefOf('service', { service: id })}
      aria-current={isCurrent ? 'page' : undefined}
      data-service={id}
    >
      <Mark shape={state.shape} />
      <span class="name">{view.name}</span>
      <small>
        <span class="only-read">{state.word} </span>
        {detail}
        {view.shared !== undefined && <span title={view.shared.map(({ url }) => url).join('\n')}> shared</span>}
      </small>
    </a>
  )
}

/** Returns the start of a reason that says more than the state: `waiting for db`, `idle for 15m`. */
function briefly({ asleep, reason }: ServiceView): string | undefined {
  return (asleep === true ? /^idle for \w+/ : /^waiting for [\w-]+/i).exec(reason ?? '')?.[0]
}

/** Moves the focus between the services of the rack. */
function moveFocus(rack: HTMLElement | null, event: KeyboardEvent): void {
  const all = [...(rack?.querySelectorAll<HTMLElement>('a.svc') ?? [])]
  const at = all.findIndex(element => element.contains(document.activeElement))
  const next = all[at + (event.key === 'ArrowDown' ? 1 : -1)]
  if (next === undefined) return
  event.preventDefault()
  next.focus()
}
