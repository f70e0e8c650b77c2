/** What can be done with a request. */
import type { ExchangeDetail, ExchangeView, ReplayBody } from '../../../../proxy/provides.ts'
import { copy } from '../../actions/copy.ts'
import type { Action } from '../../actions/registry.ts'
import { get, post } from '../../api.ts'
import { notify, notifyError } from '../../state/notices.ts'
import { place, setQuery } from '../../state/place.ts'
import { choose, chosen, editing, isRevealed, reveal } from './chosen.ts'
import { pins, rows } from './rows.ts'

/** Sends a request again, and shows the new one. */
export async function replay(id: string, changes: ReplayBody = {}): Promise<void> {
  try {
    const row = await post<ExchangeView>(`/requests/${id}/replay`, changes)
    choose(row.id)
    notify({
      kind: row.error === null ? 'done' : 'failed',
      text: `${row.method} ${row.path}: ${row.status ?? row.error}`,
    })
  } catch (error) {
    notifyError(error)
  }
}

/** Opens the editor; its text has the secrets, as they are sent again. */
export async function edit(id: string): Promise<void> {
  try {
    editing.value = await get<ExchangeDetail>(`/requests/${id}`, { reveal: true })
  } catch (error) {
    notifyError(error)
  }
}

type SnippetKind = 'curl' | 'fetch' | 'httpie'

/** Copies a request as a command or code; without secrets, unless they are shown. */
export async function copyAs(id: string, as: SnippetKind): Promise<void> {
  try {
    const { text } = await get<{ readonly text: string }>(`/requests/${id}/snippet`, {
      as,
      ...(isRevealed.value ? { reveal: true } : {}),
    })
    await copy(text, `the request as ${as}`)
  } catch (error) {
    notifyError(error)
  }
}

/** Keeps a request at the top of the list, or no longer. */
export function pin(id: string): void {
  const isPinned = pins.value.includes(id)
  setQuery({ pin: isPinned ? pins.value.filter(each => each !== id) : [...pins.value, id] })
}

/** Compares the shown request with the next older one of the same path, or stops comparing. */
export function compare(id: string): void {
  if (place.value.query.get('with') !== null) return void setQuery({ with: undefined })
  const all = rows.value
  const at = all.findIndex(row => row.id === id)
  const own = all[at]
  const rest = all.filter((_, index) => index !== at)
  const other = rest.find(({ path, method }) => path === own?.path && method === own.method) ?? rest[0]
  setQuery({ with: other?.id })
}

const id = (): string | undefined => place.value.query.get('id') ?? undefined
const hasOne = (): boolean => id() !== undefined

/** Returns an action on the shown request. */
function onChosen(run: (id: string) => void | Promise<void>): () => void | Promise<void> {
  return () => {
    const one = id()
    if (one !== undefined) return run(one)
  }
}

/** The actions of the screen. */
export const requestActions: readonly Action[] = [
  {
    ...{ id: 'requests.replay', key: 'r', keywords: 'send repeat again resend' },
    ...{ title: () => 'Replay the request', cli: () => `locald replay ${id() ?? 'ID'}` },
    isShown: () => chosen.value?.cannotReplay === null,
    run: onChosen(each => replay(each)),
  },
  {
    ...{ id: 'requests.edit', key: 'e', keywords: 'change resend' },
    ...{
      title: () => 'Edit and replay the request…',
      cli: () => `locald replay ${id() ?? 'ID'} --edit`,
      isShown: hasOne,
    },
    run: onChosen(edit),
  },
  ...(['curl', 'fetch', 'httpie'] as const).map(as => ({
    ...{ id: `requests.${as}`, keywords: 'copy command export', isShown: hasOne },
    ...(as === 'curl' ? { key: 'c', cli: () => `locald requests show ${id() ?? 'ID'} --curl` } : {}),
    title: () => `Copy as ${as === 'httpie' ? 'HTTPie' : as}`,
    run: onChosen(each => copyAs(each, as)),
  })),
  {
    ...{ id: 'requests.pin', key: 'p', keywords: 'keep star', isShown: hasOne },
    title: () => 'Pin the request',
    run: onChosen(pin),
  },
  {
    ...{ id: 'requests.compare', key: 'd', keywords: 'difference diff', isShown: hasOne },
    title: () => 'Compare the request with another',
    run: onChosen(compare),
  },
  {
    ...{ id: 'requests.reveal', key: 'v', keywords: 'secrets show', isShown: hasOne },
    title: () => 'Show secrets for 10 seconds',
    run: reveal,
  },
  {
    ...{ id: 'requests.group', key: 'w', keywords: 'page load' },
    title: () => 'Group requests by page load',
    run: () => setQuery({ group: place.value.query.has('group') ? undefined : 'page' }),
  },
]
