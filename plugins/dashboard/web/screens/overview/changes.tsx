import type { WhyAnswer } from '../../../../../kernel/protocol.ts'
import { copy } from '../../actions/copy.ts'
import { Prose } from '../../parts/prose.tsx'
import { momentOf } from '../../state/words.ts'

/** How many changes are shown; the rest is on the service's own screen. */
const limit = 5

/** What has changed since the service was last ready, each with the command that shows or undoes it. */
export function Changes({ why: { changes = [], wellAt } }: { readonly why: WhyAnswer }) {
  if (changes.length === 0) return null
  return (
    <div class="changes">
      <h2>
        {wellAt === undefined || wellAt === null
          ? 'What may have caused it'
          : `Since it was last ready, ${momentOf(wellAt)}`}
      </h2>
      <ul>
        {changes.slice(0, limit).map(({ text, command }) => (
          <li key={text}>
            <Prose text={text} />
            {command !== null && (
              <button
                type="button"
                class="command mono"
                title="Copy the command"
                onClick={() => copy(command, 'the command')}
              >
                {command}
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}
