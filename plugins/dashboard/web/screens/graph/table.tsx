import { formatMeasured } from '../../../../../kernel/lib/duration.ts'
import type { GraphService } from '../../../../../kernel/protocol.ts'
import { Mark, MarkHeading } from '../../parts/mark.tsx'
import { hrefOf } from '../../state/place.ts'
import { serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import { type CriticalPath, spansOf } from './critical-path.ts'

interface Props {
  readonly services: readonly GraphService[]
  readonly path: CriticalPath | undefined
}

/** The same as the drawing, as a table. */
export function StartTable({ services, path }: Props) {
  return (
    <table>
      <thead>
        <tr>
          <MarkHeading />
          <th>Service</th>
          <th class="hide-s">State</th>
          <th>Depends on</th>
          <th class="r">Waited</th>
          <th class="r">Ready in</th>
          <th class="r hide-s">Critical path</th>
        </tr>
      </thead>
      <tbody>
        {services.map(service => (
          <Row key={service.key} service={service} path={path} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ service, path }: { readonly service: GraphService; readonly path: CriticalPath | undefined }) {
  const { key, dependsOn } = service
  const view = serviceOf(key).value
  if (view === undefined) return null
  const { shape, word } = stateOf(view)
  const { waitedMs, readyMs } = spansOf(service)
  const step = path?.steps.find(it => it.key === key)
  return (
    <tr data-row data-service={key} tabIndex={-1}>
      <td class="mark">
        <Mark shape={shape} />
      </td>
      <td>
        <a class="name" data-open href={hrefOf('service', { service: key })}>
          {shortName(key)}
        </a>
      </td>
      <td class={shape === 'bad' ? 'bad-text hide-s' : 'hide-s'}>{word}</td>
      <td class="depends">{dependsOn.length === 0 ? <Nothing /> : dependsOn.map(shortName).join(', ')}</td>
      <td class="r">{waitedMs === undefined ? <Nothing /> : formatMeasured(waitedMs)}</td>
      <td class="r">{readyMs === undefined ? <Nothing /> : formatMeasured(readyMs)}</td>
      <td class="r hide-s">{step === undefined ? <Nothing /> : formatMeasured(step.ms)}</td>
    </tr>
  )
}

function Nothing() {
  return <span class="dim">–</span>
}
