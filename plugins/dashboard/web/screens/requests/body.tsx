import type { BodyView } from '../../../../proxy/provides.ts'
import { bytesOf } from '../../state/words.ts'

/** A longer text has no colours. */
const maxColoured = 100_000
const image = /^image\/(?:png|jpeg|gif|webp|avif|svg\+xml)/

/** A body: formatted JSON, an image, text, or why there is none. */
export function Body({ body, label }: { readonly body: BodyView; readonly label: string }) {
  const { bytes, type, text, base64, note, decodedFrom } = body
  if (bytes === 0 && note === null) return null
  const facts = [bytesOf(bytes), type, decodedFrom === null ? undefined : `decoded from ${decodedFrom}`]
  return (
    <>
      <p class="meta">{facts.filter(it => it !== undefined && it !== null).join(' · ')}</p>
      {note !== null && <p class="note">{note}</p>}
      {base64 !== null && image.test(type ?? '') && <img alt={label} src={`data:${type};base64,${base64}`} />}
      {base64 !== null && !image.test(type ?? '') && <p class="note">{bytesOf(bytes)} of binary data</p>}
      {text !== null && text !== '' && <Text text={text} label={label} />}
    </>
  )
}

/** A text, which is formatted where it is JSON. */
export function Text({ text, label }: { readonly text: string; readonly label: string }) {
  const pretty = prettyOf(text)
  return (
    <section class="text" tabIndex={0} aria-label={label}>
      <pre>{pretty === undefined || pretty.length > maxColoured ? (pretty ?? text) : coloured(pretty)}</pre>
    </section>
  )
}

function prettyOf(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return undefined
  }
}

/** A key, a string, or another value of JSON. */
const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g

function coloured(json: string) {
  const parts = []
  let from = 0
  for (const match of json.matchAll(token)) {
    const [all, string, colon] = match
    parts.push(json.slice(from, match.index))
    const kind = string === undefined ? 'j-value' : colon === undefined ? 'j-text' : 'j-key'
    parts.push(
      <span key={match.index} class={kind}>
        {all}
      </span>,
    )
    from = match.index + all.length
  }
  return [...parts, json.slice(from)]
}
