import uFuzzy from '@leeoniya/ufuzzy'
import { computed, useComputed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { contextOf } from '../actions/context.ts'
import { declaredAction } from '../actions/declared.ts'
import { type Action, actions, type Context, isShown } from '../actions/registry.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Mark } from '../parts/mark.tsx'
import { declared, refreshDeclared } from '../state/declared.ts'
import { notifyError } from '../state/notices.ts'
import { place } from '../state/place.ts'
import { keys, projects, refreshProjects } from '../state/services.ts'
import { shortName, stateOf } from '../state/words.ts'
import { keyText } from './keys.ts'
import { isPaletteOpen } from './open.ts'

interface Entry {
  readonly id: string
  readonly action: Action
  readonly context: Context
  readonly title: string
  /** The project, where others have a service of that name. */
  readonly project: string | undefined
  readonly detail: string | undefined
  /** What the search reads. */
  readonly words: string
}

const fuzzy = new uFuzzy({ intraMode: 1 })
/** Names of services that several projects have. */
const sharedNames = computed<ReadonlySet<string>>(() => {
  const names = keys.value.map(shortName).sort()
  return new Set(names.filter((name, at) => name === names[at + 1]))
})
/** How many entries are shown. */
const limit = 50

/** Search for services, screens and all that can be done. */
export function Palette() {
  return isPaletteOpen.value ? <OpenPalette /> : null
}

function OpenPalette() {
  const text = useSignal('')
  const at = useSignal(0)
  const all = useSignal<readonly Entry[]>(entries())
  const found = useComputed(() => search(all.value, text.value))
  useEffect(() => {
    const refresh = () => {
      all.value = entries()
    }
    void refreshProjects().then(refresh)
    void refreshDeclared().then(refresh)
  }, [])
  const close = () => {
    isPaletteOpen.value = false
  }
  const run = (entry: Entry | undefined): void => {
    close()
    if (entry !== undefined) void Promise.resolve(entry.action.run(entry.context)).catch(notifyError)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (event.key === 'Enter') run(found.value[at.value])
    else if (step !== 0) at.value = Math.max(0, Math.min(found.value.length - 1, at.value + step))
    else return
    event.preventDefault()
  }
  return (
    <Dialog label="Search services and commands" class="palette" close={close}>
      <input
        type="text"
        role="combobox"
        aria-label="Search services and commands"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.value.length === 0 ? undefined : `palette-${at.value}`}
        autocomplete="off"
        spellcheck={false}
        placeholder="Search services and commands"
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value
          at.value = 0
        }}
        onKeyDown={onKeyDown}
      />
      <Entries found={found.value} at={at.value} run={run} choose={index => (at.value = index)} />
      {found.value.length === 0 && <p class="dim none">Nothing matches “{text.value}”</p>}
    </Dialog>
  )
}

interface EntriesProps {
  readonly found: readonly Entry[]
  readonly at: number
  run(entry: Entry): void
  choose(index: number): void
}

function Entries({ found, at, run, choose }: EntriesProps) {
  const reveal = (element: HTMLElement | null) => element?.scrollIntoView({ block: 'nearest' })
  return (
    <div role="listbox" id="palette-list" class="entries" aria-label="Results" tabIndex={-1}>
      {found.map((entry, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys.
        <div
          key={entry.id}
          id={`palette-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          ref={index === at ? reveal : null}
          onMouseMove={() => choose(index)}
          onClick={() => run(entry)}
        >
          {entry.context.service === undefined ? (
            <i class="s none" />
          ) : (
            <Mark shape={stateOf(entry.context.service).shape} />
          )}
          <span class="title">
            {entry.title}
            {entry.project !== undefined && <span class="dim"> in {entry.project}</span>}
          </span>
          {entry.detail !== undefined && <code class="dim">{entry.detail}</code>}
          {entry.action.key !== undefined && (
            <span class="key">
              {keyText(entry.action.key).map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </span>
          )}
        </div>
      ))}
    </div>
  )
}

/** Lists all that can be done now: actions of a service for each, those of the place's own first. */
function entries(): readonly Entry[] {
  const own = place.peek().service
  const services = own === undefined ? keys.peek() : [own, ...keys.peek().filter(key => key !== own)]
  const all = actions.peek()
  const ofProjects = projects.peek().map(project => ({ service: undefined, project }))
  const contexts = services.map(contextOf)
  return [
    ...all.filter(({ id }) => id === 'service.show').flatMap(action => contexts.flatMap(it => entryOf(action, it))),
    ...all.filter(action => isCommon(action)).flatMap(action => entryOf(action, contextOf(undefined))),
    ...contexts.flatMap(it =>
      all
        .filter(action => action.isOfService === true && action.id !== 'service.show')
        .flatMap(action => entryOf(action, it)),
    ),
    ...contexts.flatMap(it => declaredOf(it).flatMap(action => entryOf(action, it))),
    ...ofProjects.flatMap(it =>
      all.filter(({ id }) => id.startsWith('project.')).flatMap(action => entryOf(action, it)),
    ),
  ]
}

/** Returns what runs the commands that a service declares. */
function declaredOf({ service }: Context): readonly Action[] {
  if (service === undefined) return []
  return (declared.peek().get(service.key) ?? []).map(command => declaredAction(service, command))
}

function isCommon({ isOfService, id }: Action): boolean {
  return isOfService !== true && !id.startsWith('project.')
}

function entryOf(action: Action, context: Context): readonly Entry[] {
  if (!isShown(action, context)) return []
  const { service, project } = context
  const title = action.title(context)
  const detail = action.cli?.(context)
  const words = `${title} ${service?.project ?? project?.name ?? ''} ${action.keywords ?? ''} ${detail ?? ''}`
  const isShared = service !== undefined && sharedNames.peek().has(service.name)
  return [
    {
      ...{ id: `${action.id} ${service?.key ?? project?.path ?? ''}`, action, context, title, detail, words },
      project: isShared ? service.project : undefined,
    },
  ]
}

function search(all: readonly Entry[], text: string): readonly Entry[] {
  if (text.trim() === '') return all.slice(0, limit)
  const haystack = all.map(({ words }) => words)
  const [indices, info, order] = fuzzy.search(haystack, text, 1, 1000)
  if (indices === null || indices === undefined) return []
  const sorted = info && order ? order.map(at => info.idx[at] ?? 0) : indices
  return sorted.slice(0, limit).flatMap(at => all[at] ?? [])
}
