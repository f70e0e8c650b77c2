/**
 * What runs: signals that the topic `events` keeps up to date. Read `services.value` for all, `serviceOf(key)` for one: a
 * component that reads only the latter is rendered only when that service changes.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { LocaldEvent, ServiceView } from '../../../../kernel/events.ts'
import type { KnownProjectView, RegistryAnswer } from '../../../../kernel/protocol.ts'
import { get } from '../api.ts'
import { follow } from '../stream/client.ts'
import { isStateEvent, type StateEvent } from '../stream/memory.ts'
import { isListed } from './words.ts'

const views = new Map<string, Signal<ServiceView | undefined>>()

/** Keys of all services, in the order of their files. */
export const keys = signal<readonly string[]>([])
/** All known projects. */
export const projects = signal<readonly KnownProjectView[]>([])
/** Whether the first state has arrived. */
export const isLoaded = signal(false)
/** What services that start do at present, by key. */
export const steps = signal<ReadonlyMap<string, string>>(new Map())
/** All services. */
export const services = computed(() => keys.value.flatMap(key => views.get(key)?.value ?? []))

/** Whether lists show hidden services, too. */
export const isAllShown = signal(false)

let listed: readonly string[] = []

/** Keys of the services that lists show. The same array as long as they are the same: states change often. */
export const listedKeys = computed(() => {
  const next = isAllShown.value ? keys.value : services.value.filter(isListed).map(({ key }) => key)
  if (next.length !== listed.length || next.some((key, at) => key !== listed[at])) listed = next
  return listed
})

const listeners = new Set<(event: LocaldEvent) => void>()

/** Returns the signal of one service; undefined: there is none of that key. */
export function serviceOf(key: string): ReadonlySignal<ServiceView | undefined> {
  return own(key)
}

/** Calls a listener with each event until the result is called. */
export function onEvent(listener: (event: LocaldEvent) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Begins to follow the daemon's events. */
export function startServices(): void {
  follow('events', {
    onValues: values => batch(() => values.forEach(value => void (isStateEvent(value) && apply(value)))),
  })
}

function apply(event: StateEvent): void {
  if (event.event === 'snapshot') {
    applySnapshot(event.services, event.projects)
    return
  }
  if (event.event === 'service') set(event.service)
  else if (event.event === 'removed') remove(event.key)
  else if (event.event === 'step') setStep(event.key, event.text)
  for (const listener of listeners) listener(event)
}

function applySnapshot(present: readonly ServiceView[], known: readonly KnownProjectView[]): void {
  const left = new Set(present.map(({ key }) => key))
  for (const [key, view] of views) if (!left.has(key)) view.value = undefined
  for (const view of present) own(view.key).value = view
  keys.value = present.map(({ key }) => key)
  projects.value = known
  steps.value = new Map()
  isLoaded.value = true
}

/** Folders of projects that the registry was asked for. */
const asked = new Set<string>()
let reading: Promise<void> | undefined

/** Reads the known projects again: no event is about pins, nor about what the registry has of a new project. */
export function refreshProjects(): Promise<void> {
  reading ??= get<RegistryAnswer>('/registry')
    .then(answer => {
      projects.value = answer.projects
    })
    // The old ones stay; the shell shows a lost daemon.
    .catch(() => undefined)
    .finally(() => {
      reading = undefined
    })
  return reading
}

function set(view: ServiceView): void {
  if (!asked.has(view.path) && !projects.value.some(({ path }) => path === view.path)) {
    asked.add(view.path)
    void refreshProjects()
  }
  own(view.key).value = view
  if (!keys.value.includes(view.key)) keys.value = [...keys.value, view.key]
  if (view.status !== 'starting' && steps.value.has(view.key)) setStep(view.key, undefined)
}

function remove(key: string): void {
  own(key).value = undefined
  keys.value = keys.value.filter(other => other !== key)
}

function setStep(key: string, text: string | undefined): void {
  const next = new Map(steps.value)
  if (text === undefined) next.delete(key)
  else next.set(key, text)
  steps.value = next
}

function own(key: string): Signal<ServiceView | undefined> {
  const known = views.get(key)
  if (known !== undefined) return known
  const view = signal<ServiceView | undefined>(undefined)
  views.set(key, view)
  return view
}
