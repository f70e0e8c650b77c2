import { useComputed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatMeasured } from '../../../../../kernel/lib/duration.ts'
import type { GraphAnswer } from '../../../../../kernel/protocol.ts'
import { get } from '../../api.ts'
import { Empty } from '../../parts/empty.tsx'
import { type Group, groups } from '../../state/groups.ts'
import { notifyError } from '../../state/notices.ts'
import { place, setQuery } from '../../state/place.ts'
import { isLoaded, serviceOf } from '../../state/services.ts'
import { shortName } from '../../state/words.ts'
import { type CriticalPath, criticalPath } from './critical-path.ts'
import { Drawing } from './drawing.tsx'
import { StartTable } from './table.tsx'
import '../../parts/chip.css'
import './style.css'

/** The graph is asked for again this long after a change of state, ms: changes come in groups. */
const settleMs = 150

/** Shows what depends on what in one project, and what its last start took the longest for. */
export default function Graph() {
  const all = groups.value.filter(({ services }) => services.length > 0)
  const wanted = place.value.query.get('project')
  const chosen = all.find(group => idOf(group) === wanted) ?? all[0]
  if (!isLoaded.value) return <section class="graph" aria-label="Graph" />
  if (chosen === undefined)
    return (
      <Empty title="Start a project" command="locald up">
        <p>Its services and what they depend on are drawn here.</p>
      </Empty>
    )
  return (
    <section class="graph" aria-label="Graph">
      <h1 class="only-read">Graph</h1>
      {all.length > 1 && (
        <div class="choice">
          {all.map(group => (
            <button
              type="button"
              class="chip"
              key={group.path}
              aria-pressed={group === chosen}
              onClick={() => setQuery({ project: idOf(group) })}
            >
              {group.name} {group.branch !== undefined && <span class="branch">{group.branch}</span>}
            </button>
          ))}
        </div>
      )}
      <ProjectGraph key={chosen.path} path={chosen.path} services={chosen.services} />
    </section>
  )
}

function idOf({ project, name }: Group): string {
  return project?.name ?? name
}

function ProjectGraph({ path, services }: { readonly path: string; readonly services: readonly string[] }) {
  const graph = useSignal<GraphAnswer | undefined>(undefined)
  const states = useComputed(() =>
    services
      .map(key => serviceOf(key).value)
      .map(view => `${view?.key} ${view?.status} ${view?.health} ${view?.startedAt}`)
      .join('\n'),
  )
  useEffect(() => {
    const aborted = new AbortController()
    const ask = () =>
      get<GraphAnswer>('/projects/graph', { path }, aborted.signal).then(
        answer => {
          graph.value = answer
        },
        error => aborted.signal.aborted || notifyError(error),
      )
    const timer = setTimeout(ask, graph.peek() === undefined ? 0 : settleMs)
    return () => {
      clearTimeout(timer)
      aborted.abort()
    }
  }, [path, states.value])
  const answer = graph.value
  if (answer === undefined) return <div class="drawing" />
  const critical = criticalPath(answer.services)
  return (
    <>
      <Summary path={critical} />
      <Drawing services={answer.services} path={critical} />
      <StartTable services={answer.services} path={critical} />
    </>
  )
}

function Summary({ path }: { readonly path: CriticalPath | undefined }) {
  if (path === undefined) return <p class="summary dim">This daemon has not started these services.</p>
  return (
    <p class="summary">
      <span>
        Last start <b class="num">{formatMeasured(path.totalMs)}</b>:
      </span>
      {path.steps.map(({ key, ms }, at) => (
        <span key={key}>
          {at > 0 && <span aria-hidden="true">→ </span>}
          {shortName(key)} <b class="num">{formatMeasured(ms)}</b>
        </span>
      ))}
    </p>
  )
}
