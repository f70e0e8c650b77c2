import { useEffect, useRef } from 'preact/hooks'
import type { RunView } from '../../../../../kernel/protocol.ts'
import { typedLineOf } from '../../actions/command-line.ts'
import { useActions } from '../../actions/registry.ts'
import { closeRun } from '../../actions/run.ts'
import { Mark } from '../../parts/mark.tsx'
import { activeGroups } from '../../state/groups.ts'
import { notifyError } from '../../state/notices.ts'
import { place, setQuery } from '../../state/place.ts'
import { followRuns, lastStarted, runs, wordOf } from '../../state/runs.ts'
import { isLoaded, serviceOf } from '../../state/services.ts'
import { shortName, stateOf } from '../../state/words.ts'
import { Pane } from './pane.tsx'
import { RunPane, shapeOf } from './run-pane.tsx'
import { isForScreenReader } from './screen-reader.ts'
import '../../parts/chip.css'
import './style.css'

/** As many terminals are open at a time. */
const limit = 12

/** Shows terminals side by side; which ones is in the URL. */
export default function Terminals() {
  /** The one that was opened last here, which takes the focus. */
  const opened = useRef<string | undefined>(undefined)
  useEffect(followRuns, [])
  useEffect(() => forgetStarted, [])
  const open = [...new Set(place.value.query.getAll('service'))].slice(0, limit)
  const openRuns = new Set(place.value.query.getAll('run'))
  const shownRuns = runs.value.filter(({ id }) => openRuns.has(id))
  const setOpen = (next: readonly string[]) => setQuery({ service: next })
  const close = (service: string) => setOpen(open.filter(other => other !== service))
  const end = async (run: RunView) => {
    if (await closeRun(run)) hideRun(run.id)
  }
  const toggle = (service: string) => {
    opened.current = service
    if (open.includes(service)) close(service)
    else setOpen([...open, service].slice(-limit))
  }
  const toggleRun = (id: string) => {
    opened.current = id
    if (openRuns.has(id)) hideRun(id)
    else setQuery({ run: [...openRuns, id] })
  }
  useActions(
    () => [
      {
        ...{ id: 'terminals.close', key: 'x', keywords: 'hide', isOfService: true },
        title: ({ service }) =>
          focusedRun() === undefined ? `Close the terminal of ${service?.name ?? ''}` : 'Stop and close the command',
        isShown: ({ service }) => focusedRun() !== undefined || (service !== undefined && open.includes(service.key)),
        run: ({ service }) => {
          const run = focusedRun()
          return run === undefined ? close(service?.key ?? '') : end(run)
        },
      },
      {
        ...{ id: 'terminals.screen-reader', key: 'a', keywords: 'accessibility text speech' },
        title: () => `Turn the screen reader mode of terminals ${isForScreenReader.peek() ? 'off' : 'on'}`,
        run: toggleScreenReader,
      },
    ],
    [place.value.query.toString()],
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
        {runs.value.length > 0 && (
          <fieldset>
            <legend>Commands</legend>
            {runs.value.map(run => (
              <RunChip key={run.id} run={run} isOpen={openRuns.has(run.id)} toggle={() => toggleRun(run.id)} />
            ))}
          </fieldset>
        )}
        <button
          type="button"
          class="chip mode"
          aria-pressed={isForScreenReader.value}
          title="Terminals are also there as text for screen readers (key a)"
          onClick={toggleScreenReader}
        >
          Screen reader
        </button>
      </div>
      {open.length + shownRuns.length === 0 ? (
        <p class="none">
          Choose services: their terminals stand side by side and take what you type. <kbd>Ctrl ]</kbd> leaves a
          terminal, <kbd>Enter</kbd> goes back into it.
        </p>
      ) : (
        <div class="deck">
          {open.map(service => (
            <Pane key={service} service={service} isFocused={opened.current === service} close={() => close(service)} />
          ))}
          {shownRuns.map(run => (
            <RunPane
              key={run.id}
              run={run}
              isFocused={lastStarted.peek() === run.id || opened.current === run.id}
              close={() => void end(run).catch(notifyError)}
            />
          ))}
        </div>
      )}
    </section>
  )
}

function hideRun(id: string): void {
  setQuery({
    run: place
      .peek()
      .query.getAll('run')
      .filter(other => other !== id),
  })
}

/** Lets no terminal take the focus when the user comes back. */
function forgetStarted(): void {
  lastStarted.value = undefined
}

function toggleScreenReader(): void {
  isForScreenReader.value = !isForScreenReader.peek()
}

/** Returns the command whose pane has the focus. */
function focusedRun(): RunView | undefined {
  const pane = document.activeElement?.closest('[data-run]')
  const id = pane instanceof HTMLElement ? pane.dataset['run'] : undefined
  return runs.peek().find(run => run.id === id)
}

interface ChipProps {
  readonly isOpen: boolean
  toggle(): void
}

function Chip({ service, isOpen, toggle }: ChipProps & { readonly service: string }) {
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

function RunChip({ run, isOpen, toggle }: ChipProps & { readonly run: RunView }) {
  const command = typedLineOf(run.argv)
  const title = `${command} as ${run.service}: ${wordOf(run)}`
  return (
    <button type="button" class="chip" aria-pressed={isOpen} title={title} onClick={toggle}>
      <Mark shape={shapeOf(run)} />
      <span class="command">
        {shortName(run.service)}: {command}
      </span>
    </button>
  )
}
