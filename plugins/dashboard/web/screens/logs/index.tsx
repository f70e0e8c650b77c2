import { useEffect, useMemo, useRef } from 'preact/hooks'
import { copy } from '../../actions/copy.ts'
import { useActions } from '../../actions/registry.ts'
import { Empty } from '../../parts/empty.tsx'
import { isLoaded, keys } from '../../state/services.ts'
import { LogList } from './list.tsx'
import { copied, markdownOf, selectedRows } from './markdown.ts'
import { matcherOf } from './matcher.ts'
import { Model } from './model.ts'
import { OlderMatches, OlderSearch } from './older-search.tsx'
import { type LogsPlace, lineLink, logsPlace, toggle } from './query.ts'
import { Toolbar } from './toolbar.tsx'
import { WholeLine } from './whole-line.tsx'
import './style.css'
import './whole-line.css'
import './narrow.css'

/** The output of all services, or of some: search, history, links to lines. */
export default function Logs() {
  const place = logsPlace()
  const services = place.services.join(' ')
  const model = useMemo(() => new Model(place.services), [services])
  const older = useMemo(() => new OlderSearch(), [services])
  const started = useRef<Model>(undefined)
  useEffect(() => () => model.close(), [model])
  useEffect(() => {
    if (started.current !== model) model.start(place.line)
    else if (place.line !== undefined) model.goTo(place.line)
    started.current = model
  }, [model, place.line])
  // What was found for something else does not belong to what is shown.
  useEffect(() => () => older.close(), [older, place.text, place.isRegex, place.isCase, place.level])
  const problem = useSelection(model, place)
  useActions(() => actionsOf(model), [model])
  return (
    <section class="logs" aria-label="Logs">
      <Toolbar model={model} place={place} older={older} problem={problem} />
      <OlderMatches search={older} model={model} />
      <div class="logs-pane">
        <LogList model={model} linkOf={lineLink} />
        <Nothing model={model} place={place} />
        <Resume model={model} />
      </div>
      {place.isWhole && <WholeLine model={model} />}
    </section>
  )
}

/** Applies what is looked for; returns why it cannot be. */
function useSelection(model: Model, { text, isRegex, isCase, isFilter, level }: LogsPlace): string | undefined {
  const matcher = useMemo(() => matcherOf({ text, isRegex, isCase }), [text, isRegex, isCase])
  const problem = typeof matcher === 'string' ? matcher : undefined
  useEffect(() => {
    model.select({ matcher: typeof matcher === 'string' ? undefined : matcher, isFilter, level })
  }, [model, matcher, isFilter, level])
  return problem ?? model.problem.value
}

function actionsOf(model: Model) {
  const { lines } = model.feed
  return [
    { id: 'logs.search', title: () => 'Search logs', key: '/', keywords: 'find grep', run: focusSearch },
    { id: 'logs.filter', title: () => 'Show only hits', key: 'f', keywords: 'filter', run: () => toggle('filter') },
    { id: 'logs.next', title: () => 'Go to the next hit', key: 'n', run: () => model.step(1) },
    { id: 'logs.previous', title: () => 'Go to the previous hit', key: 'Shift+n', run: () => model.step(-1) },
    {
      id: 'logs.pause',
      title: () => 'Pause or follow logs',
      key: 'p',
      keywords: 'stop scroll resume',
      run: () => model.setFollowing(!model.feed.isFollowing),
    },
    {
      id: 'logs.whole',
      title: () => 'Show all of the chosen line, or of the last one',
      key: 'w',
      keywords: 'wrap long line',
      run: () => toggle('whole'),
    },
    {
      id: 'logs.end',
      title: () => 'Follow the newest lines',
      key: 'End',
      run: () => model.setFollowing(true),
    },
    {
      id: 'logs.copy',
      title: () => `Copy the selection or the last ${copied} lines as Markdown`,
      key: 'y',
      keywords: 'yank clipboard chat agent',
      run: () => {
        const selected = selectedRows(number => lines.at(number))
        const rows = selected.length > 0 ? selected : lastShown(model)
        return copy(markdownOf(rows), `${rows.length} lines`)
      },
    },
  ]
}

function focusSearch(): void {
  const input = document.getElementById('logs-q')
  if (input instanceof HTMLInputElement) input.select()
  input?.focus()
}

function lastShown({ view, feed: { lines } }: Model) {
  const from = Math.max(0, view.size - copied)
  return Array.from({ length: view.size - from }, (_, at) => view.numberAt(from + at)).flatMap(number =>
    number === undefined ? [] : (lines.at(number) ?? []),
  )
}

/** The chip that resumes, with how much came meanwhile. */
function Resume({ model }: { readonly model: Model }) {
  if (model.isFollowing.value) return null
  const { missed } = model.feed
  void model.version.value
  return (
    <button
      type="button"
      class="new num"
      title="Follow the newest lines (End)"
      onClick={() => model.setFollowing(true)}
    >
      {missed > 0 ? `${missed.toLocaleString('en')} new ↓` : 'Newest ↓'}
    </button>
  )
}

function Nothing({ model, place }: { readonly model: Model; readonly place: LogsPlace }) {
  void model.version.value
  if (!model.feed.isAttached || model.view.size > 0) return null
  const isNarrow = place.isFilter || place.level !== 'debug'
  if (isNarrow && model.feed.lines.size > 0) return <p class="none dim">No line in the page is shown by this filter.</p>
  if (isLoaded.value && keys.value.length === 0) return <Empty title="Start a project" command="locald up" />
  return <p class="none dim">No output so far</p>
}
