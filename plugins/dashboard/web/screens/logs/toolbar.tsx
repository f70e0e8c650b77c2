import { Fragment } from 'preact'
import { activeGroups } from '../../state/groups.ts'
import { setQuery } from '../../state/place.ts'
import { keys } from '../../state/services.ts'
import { nameClass, shortName } from '../../state/words.ts'
import type { Model } from './model.ts'
import type { OlderSearch } from './older-search.tsx'
import { type LogsPlace, toggle, toggleService } from './query.ts'
import { lowerBound } from './view.ts'

/** With more services only the chosen ones have chips. */
const mostChips = 8
const levelNames = {
  debug: 'All levels',
  info: 'Info and above',
  warn: 'Warnings and errors',
  error: 'Errors',
} as const

interface Props {
  readonly model: Model
  readonly place: LogsPlace
  readonly older: OlderSearch
  /** Why the expression is invalid. */
  readonly problem: string | undefined
}

/** What is shown, and what is looked for. */
export function Toolbar({ model, place, older, problem }: Props) {
  return (
    <div class="logs-bar" role="toolbar" aria-label="Filters of logs">
      <Services place={place} />
      <div class="logs-right">
        <select
          aria-label="Level"
          value={place.level}
          onChange={({ currentTarget: { value } }) => setQuery({ level: value === 'debug' ? undefined : value })}
        >
          {Object.entries(levelNames).map(([level, name]) => (
            <option key={level} value={level}>
              {name}
            </option>
          ))}
        </select>
        <Switch
          name="whole"
          label="Whole line: show all of the chosen one, or of the last, key w"
          text="Whole"
          isOn={place.isWhole}
        />
        <SearchField model={model} place={place} older={older} problem={problem} />
      </div>
    </div>
  )
}

function Services({ place: { services } }: { readonly place: LogsPlace }) {
  const all = keys.value
  const chips = all.length <= mostChips ? all : services
  const hasProjects = activeGroups.value.length > 1
  return (
    <fieldset class="logs-chips" aria-label="Services">
      <button
        type="button"
        class="chip"
        aria-pressed={services.length === 0}
        onClick={() => setQuery({ service: undefined })}
      >
        All
      </button>
      {activeGroups.value.map(({ path, name, branch, services: own }) => {
        const shown = own.filter(key => chips.includes(key))
        if (shown.length === 0) return null
        return (
          <Fragment key={path}>
            {hasProjects && (
              <b>
                {name} {branch !== undefined && <span class="branch">{branch}</span>}
              </b>
            )}
            {shown.map(key => (
              <button
                type="button"
                class="chip"
                key={key}
                title={key}
                aria-label={hasProjects ? key : undefined}
                aria-pressed={services.includes(key)}
                onClick={() => toggleService(key)}
              >
                <i class={`dot ${nameClass(key, all)}`} aria-hidden="true" />
                {shortName(key)}
              </button>
            ))}
          </Fragment>
        )
      })}
      {all.length > mostChips && <MoreServices chosen={services} />}
    </fieldset>
  )
}

function MoreServices({ chosen }: { readonly chosen: readonly string[] }) {
  const rest = keys.value.filter(key => !chosen.includes(key))
  return (
    <select
      aria-label="Add a service"
      value=""
      onChange={({ currentTarget }) => {
        toggleService(currentTarget.value)
        currentTarget.value = ''
      }}
    >
      <option value="">+ {rest.length} services</option>
      {rest.map(key => (
        <option key={key} value={key}>
          {key}
        </option>
      ))}
    </select>
  )
}

function SearchField({ model, place, older, problem }: Props) {
  const isNarrow = place.text !== '' || place.level !== 'debug'
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter') return
    model.step(event.shiftKey ? 1 : -1)
    event.preventDefault()
    event.stopPropagation()
  }
  const searchOlder = (): void => {
    const { lines } = model.feed
    if (lines.oldest !== undefined) void older.run(place, lines.slice(lines.first))
  }
  return (
    <search class={`logs-search${problem === undefined ? '' : ' is-wrong'}`}>
      <input
        id="logs-q"
        type="search"
        aria-label="Search logs"
        aria-invalid={problem !== undefined}
        aria-describedby="logs-hits"
        placeholder="Search  /"
        autocomplete="off"
        spellcheck={false}
        value={place.text}
        onInput={({ currentTarget: { value } }) => setQuery({ q: value === '' ? undefined : value })}
        onKeyDown={onKeyDown}
      />
      <span id="logs-hits" class={`num ${problem === undefined ? 'dim' : 'bad-text'}`} role="status">
        {problem ?? <Hits model={model} place={place} />}
      </span>
      <Switch name="case" label="Match case" text="Aa" isOn={place.isCase} />
      <Switch name="regex" label="Regular expression" text=".*" isOn={place.isRegex} />
      <Switch name="filter" label="Filter: show only hits, key f" text="Filter" isOn={place.isFilter} />
      {isNarrow && problem === undefined && model.version.value > 0 && model.feed.hasOlder && (
        <button type="button" class="chip" onClick={searchOlder} title="Search the lines that the page does not hold">
          Older
        </button>
      )}
    </search>
  )
}

interface SwitchProps {
  readonly name: 'case' | 'regex' | 'filter' | 'whole'
  readonly label: string
  readonly text: string
  readonly isOn: boolean
}

function Switch({ name, label, text, isOn }: SwitchProps) {
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={isOn}
      aria-label={label}
      title={label}
      onClick={() => toggle(name)}
    >
      {text}
    </button>
  )
}

function Hits({ model, place }: { readonly model: Model; readonly place: LogsPlace }) {
  void model.version.value
  if (place.text === '') return null
  const { hits } = model.view
  const chosen = model.chosen.value
  const at = chosen === undefined ? -1 : lowerBound(hits, chosen)
  const isHit = at >= 0 && hits[at] === chosen
  return <>{`${isHit ? `${(at + 1).toLocaleString('en')} of ` : ''}${hits.length.toLocaleString('en')}`}</>
}
