/**
 * Where the user is: the URL is the state. A screen reads `place.value.query.get('q')` and writes
 * `setQuery({ q: 'error' })`; both survive a reload, and a link to the page shows the same to others.
 */
import { computed, effect, signal } from '@preact/signals'
import { type Query, searchOf } from '../api.ts'

export const screens = ['overview', 'logs', 'requests', 'terminals', 'graph', 'system'] as const
export type ScreenName = (typeof screens)[number] | 'service'

/** A place in the app. */
export interface Place {
  readonly screen: ScreenName
  /** The key of the service, on its own screen. */
  readonly service: string | undefined
  readonly query: URLSearchParams
}

const url = signal(location.pathname + location.search)

/** The present place. */
export const place = computed(() => parse(url.value))

/** Returns the path of a screen, with a query; undefined values are left out. */
export function hrefOf(screen: ScreenName, options: { service?: string; query?: Query } = {}): string {
  const path = screen === 'overview' ? '/' : screen === 'service' ? `/service/${options.service ?? ''}` : `/${screen}`
  const query = searchOf(options.query ?? {})
  return query === '' ? path : `${path}?${query}`
}

/** Goes to a path of this app; `replace`: without a step back to the present one. */
export function go(path: string, { replace = false } = {}): void {
  if (path === url.value) return
  if (replace) history.replaceState(null, '', path)
  else history.pushState(null, '', path)
  url.value = path
}

/**
 * Changes the query of the present place: a string sets, a list sets several values, undefined removes. It replaces the
 * present entry of the history, as typing into a filter must not fill it; `step`: it adds one.
 */
export function setQuery(
  changes: Readonly<Record<string, string | readonly string[] | undefined>>,
  { step = false } = {},
): void {
  const query = new URLSearchParams(place.value.query)
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name)
    for (const one of [value ?? []].flat()) query.append(name, one)
  }
  const words = query.toString()
  go(location.pathname + (words === '' ? '' : `?${words}`), { replace: !step })
}

/** Makes links of this app change the place without loading the page, and follows the browser's buttons. */
export function startPlace(): void {
  addEventListener('popstate', () => {
    url.value = location.pathname + location.search
  })
  document.addEventListener('click', event => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || !isOwn(link) || !isPlain(event)) return
    event.preventDefault()
    go(link.pathname + link.search)
  })
}

/** Sets the title of the window by what the function returns now and later. */
export function startTitle(titleOf: (place: Place) => string): void {
  effect(() => {
    document.title = titleOf(place.value)
  })
}

function parse(path: string): Place {
  const { pathname, searchParams: query } = new URL(path, location.origin)
  const [, name = '', ...rest] = pathname.split('/')
  if (name === 'service' && rest.length > 0)
    return { screen: 'service', service: decodeURIComponent(rest.join('/')), query }
  return { screen: screens.find(screen => screen === name) ?? 'overview', service: undefined, query }
}

function isOwn(link: HTMLAnchorElement): boolean {
  return link.origin === location.origin && link.target === '' && !link.hasAttribute('download')
}

function isPlain(event: MouseEvent): boolean {
  const { button, metaKey, ctrlKey, shiftKey, altKey, defaultPrevented } = event
  return button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey && !defaultPrevented
}
