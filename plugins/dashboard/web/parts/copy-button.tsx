import { copy } from '../actions/copy.ts'

interface Props {
  readonly text: string
  /** What it is, for the notice: `the URL of web`. */
  readonly what: string
}

/** Text that a click copies. */
export function CopyButton({ text, what }: Props) {
  return (
    <button type="button" class="copy mono" title={`Copy ${what}`} onClick={() => copy(text, what)}>
      {text}
    </button>
  )
}
