/** The worker that runs expressions of the user's; the page stops it when one takes too long. */
import { mostRanges, type Range } from './range.ts'

/** What the page asks for. */
export interface Work {
  readonly source: string
  readonly flags: string
  readonly texts: readonly string[]
}

/** The hits in each text; undefined where there is none. */
export interface Found {
  readonly ranges: readonly (readonly Range[] | undefined)[]
}

/** Longer texts are searched to here. */
const searched = 10_000

addEventListener('message', ({ data: { source, flags, texts } }: MessageEvent<Work>) => {
  postMessage('started')
  const regex = new RegExp(source, `g${flags}`)
  const found: Found = { ranges: texts.map(text => rangesOf(regex, text.slice(0, searched))) }
  postMessage(found)
})

function rangesOf(regex: RegExp, text: string): readonly Range[] | undefined {
  const ranges: Range[] = []
  let isHit = false
  for (const match of text.matchAll(regex)) {
    isHit = true
    if (match[0] !== '') ranges.push([match.index, match.index + match[0].length])
    if (ranges.length >= mostRanges) break
  }
  return isHit ? ranges : undefined
}
