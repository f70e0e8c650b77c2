import { signal, useComputed } from '@preact/signals'
import type { ServiceView } from '../../../../../kernel/events.ts'
import { contextOf } from '../../actions/context.ts'
import { Act } from '../../parts/act.tsx'
import { Mark } from '../../parts/mark.tsx'
import { ActionMenu } from '../../parts/menu.tsx'
import { CpuSpark } from '../../parts/spark.tsx'
import { now } from '../../state/clock.ts'
import { pending } from '../../state/pending.ts'
import { hrefOf } from '../../state/place.ts'
import { serviceOf } from '../../state/services.ts'
import { usageOf } from '../../state/usage.ts'
import { bytesOf, capitalised, durationOf, stateOf } from '../../state/words.ts'
import { Sentence } from './sentence.tsx'

/** The service that the pointer or the focus is at. */
const active = signal<string | undefined>(undefined)

/** One service; it is rendered only when this service changes. */
export function ServiceRow({ id }: { readonly id: string }) {
  const view = serviceOf(id).value
  if (view === undefined) return null
  const context = contextOf(id)
  const { name, url, restarts } = view
  return (
    <tr
      data-row
      data-service={id}
      tabIndex={-1}
      onPointerEnter={() => (active.value = id)}
      onFocusIn={() => (active.value = id)}
    >
      <StateCells view={view} />
      <td class="mono hide-s">{url === null ? !isWide(view) && <span class="dim">–</span> : <Url url={url} />}</td>
      <td class="hide-s spark-cell">
        <CpuSpark id={id} />
      </td>
      <td class="r hide-s">
        <Memory id={id} />
      </td>
      <td class="r hide-s">
        <Uptime view={view} />
      </td>
      <td class={restarts > 0 ? 'r hide-s wait-text' : 'r hide-s dim'}>{restarts}</td>
      <td class="r">
        <span class="acts">
          <QuickActions view={view} />
          <ActionMenu context={context} label={`Actions of ${name}`} />
        </span>
      </td>
    </tr>
  )
}

/** The buttons of the row that the pointer or the focus is in: three hundred rows of them would take long. */
function QuickActions({ view }: { readonly view: ServiceView }) {
  const isActive = useComputed(() => active.value === view.key)
  if (!isActive.value) return null
  const context = contextOf(view.key)
  return (
    <span class="hide-s">
      <Act id="service.start" context={context} icon="start" />
      <Act id="service.restart" context={context} icon="restart" />
      <Act id="service.stop" context={context} icon="stop" />
      <Act id="service.logs" context={context} icon="logs" />
    </span>
  )
}

function StateCells({ view }: { readonly view: ServiceView }) {
  const { key, name } = view
  const word = pending.value.get(key)
  const shape = word === undefined ? stateOf(view).shape : 'wait'
  const color = shape === 'bad' ? 'bad-text' : shape === 'wait' ? 'wait-text' : 'dim'
  return (
    <>
      <td class="mark">
        <Mark shape={shape} />
      </td>
      <td>
        <a class="name" data-open href={hrefOf('service', { service: key })}>
          {name}
        </a>
      </td>
      <td class={`state ${color}${isWide(view) ? ' wide' : ''}`}>
        {word === undefined ? <Sentence view={view} /> : `${capitalised(word)}…`}
      </td>
    </>
  )
}

/** Whether the state needs the place of the URL, too: that of a scheduled service has the time of its next run. */
function isWide({ url, reason }: ServiceView): boolean {
  return url === null && reason !== null
}

function Url({ url }: { readonly url: string }) {
  return url.startsWith('http') ? (
    <a href={url} title={url} target="_blank" rel="noopener noreferrer">
      {url}
    </a>
  ) : (
    <span>{url}</span>
  )
}

function Memory({ id }: { readonly id: string }) {
  const memory = usageOf(id).value.at(-1)?.memory
  return memory === undefined || memory === null ? <span class="dim">–</span> : <span>{bytesOf(memory)}</span>
}

function Uptime({ view: { startedAt, pid } }: { readonly view: ServiceView }) {
  if (startedAt === null || pid === null) return <span class="dim">–</span>
  return <>{durationOf(now.value - Date.parse(startedAt))}</>
}
