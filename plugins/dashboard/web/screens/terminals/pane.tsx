import { contextOf } from '../../actions/context.ts'
import { searchOf } from '../../api.ts'
import { Act } from '../../parts/act.tsx'
import { Mark } from '../../parts/mark.tsx'
import { hrefOf } from '../../state/place.ts'
import { serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import { Frame } from './frame.tsx'

interface Props {
  readonly service: string
  /** Whether it takes the focus when it is there. */
  readonly isFocused: boolean
  close(): void
}

/** The terminal of a service. */
export function Pane({ service, isFocused, close }: Props) {
  const view = serviceOf(service).value
  if (view === undefined) return null
  const { path, name } = view
  const { shape, word } = stateOf(view)
  const context = contextOf(service)
  return (
    <Frame
      target={`/services/terminal?${searchOf({ path, service: name })}`}
      label={`Terminal of ${service}`}
      {...{ service, name, word, isFocused, close }}
      title={
        <>
          <Mark shape={shape} />
          <a href={hrefOf('service', { service })}>{shortName(service)}</a>
        </>
      }
    >
      <Act id="service.start" icon="start" context={context} />
      <Act id="service.restart" icon="restart" context={context} />
    </Frame>
  )
}
