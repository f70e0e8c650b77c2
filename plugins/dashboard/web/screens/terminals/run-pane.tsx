import type { RunView } from '../../../../../kernel/protocol.ts'
import { typedLineOf } from '../../actions/command-line.ts'
import { searchOf } from '../../api.ts'
import { Mark } from '../../parts/mark.tsx'
import { hrefOf } from '../../state/place.ts'
import { wordOf } from '../../state/runs.ts'
import type { Shape } from '../../state/words.ts'
import { Frame } from './frame.tsx'

interface Props {
  readonly run: RunView
  /** Whether it takes the focus when it is there. */
  readonly isFocused: boolean
  close(): void
}

/** The terminal of a command in the place of a service. */
export function RunPane({ run, isFocused, close }: Props) {
  const { id, service, argv, exit } = run
  const command = typedLineOf(argv)
  return (
    <Frame
      target={`/runs/terminal?${searchOf({ id })}`}
      run={id}
      label={`Terminal of ${command} as ${service}`}
      {...{ service, name: command, word: wordOf(run), isOver: exit !== null, isFocused, close }}
      title={
        <>
          <Mark shape={shapeOf(run)} />
          <a href={hrefOf('service', { service })}>{service}</a>
          <code class="command" title={command}>
            {command}
          </code>
        </>
      }
    />
  )
}

/** Returns the mark of a command. */
export function shapeOf({ exit }: RunView): Shape {
  if (exit === null) return 'ok'
  return exit.code === 0 ? 'done' : 'bad'
}
