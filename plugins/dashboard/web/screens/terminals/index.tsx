import { useRef } from 'preact/hooks'
import { useActions } from '../../actions/registry.ts'
import { Mark } from '../../parts/mark.tsx'
import { activeGroups } from '../../state/groups.ts'
import { place, setQuery } from '../../state/place.ts'
import { isLoaded, serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import { Pane } from './pane.tsx'
import '../../parts/chip.css'
import './style.css'

/** As many terminals are open at a time. */
const limit = 12

/** Shows terminals side by side; which ones is in the URL. */
export default function Terminals() {
  /** The one that was opened last here, which takes the focus. */
  const opened = useRef<string | undefined>(undefined)
  const open = [...new Set(place.value.query.getAll('service'))].slice(0, limit)
  const setOpen = (next: readonly string[]) => setQuery({ service: next })
  const close = (service: string) => setOpen(open.filter(other => other !== service))
  const toggle = (service: string) => {
    opened.current = service
    if (open.includes(service)) close(service)
    else setOpen([...open, service].slice(-limit))
  }
  useActions(
    () => [
      {
        ...{ id: 'terminals.close', key: 'x', keywords: 'hide', isOfService: true },
        title: ({ service }) => `Close the terminal of ${service?.name ?? ''}`,
        isShown: ({ service }) => service !== undefined && open.includes(service.key),
        run: ({ service }) => close(service?.key ?? ''),
      },
    ],
    [open.join('\n')],
  )
  if (!isLoaded.value) return <section class="terminals" aria-label="Terminals" />
  return (
    <section class="terminals" aria-label="Terminals">
      <h1 class="only-read">Terminals</h1>
      <div class="choice">
        {activeGroups.value.map(({ path, name, branch, services }) => (
          <fieldset key={path}>
            <legend>
              {name} {branch !== undefined && <span class="branch">{branch}</span>}
            </legend>
            {services.map(service => (
              <Chip key={service} service={service} isOpen={open.includes(service)} toggle={() => toggle(service)} />
            ))}
          </fieldset>
        ))}
      </div>
      {open.length === 0 ? (
        <p class="none">
          Choose services: their terminals stand side by side and take what you type. <kbd>Ctrl ]</kbd> leaves a
          terminal, <kbd>Enter</kbd> goes back into it.
        </p>
      ) : (
        <div class="deck">
          {open.map(service => (
            <Pane key={service} service={service} isFocused={opened.current === service} close={() => close(service)} />
          ))}
        </div>
      )}
    </section>
  )
}

interface ChipProps {
  readonly service: string
  readonly isOpen: boolean
  toggle(): void
}

function Chip({ service, isOpen, toggle }: ChipProps) {
  const view = serviceOf(service).value
  if (view === undefined) return null
  const { shape, word } = stateOf(view)
  return (
    <button type="button" class="chip" aria-pressed={isOpen} title={`${service}: ${word}`} onClick={toggle}>
      <Mark shape={shape} />
      {shortName(service)}
    </button>
  )
}
