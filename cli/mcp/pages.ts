import type { CallToolResult } from '@modelcontextprotocol/server'
import { LocaldError } from '../../kernel/errors.ts'
import { clipTexts, cutTexts, sizeOf } from './size.ts'

/** A line of an answer, as text for the model and as data. */
export interface Item {
  readonly text: string
  readonly data: unknown
}

/** What a tool answers: a sentence, facts, and a list of which as much is sent as fits. */
export interface Report {
  /** Lines above the list. */
  readonly head: string
  readonly facts: Readonly<Record<string, unknown>>
  /** The name of the list in the data. */
  readonly list: string
  readonly items: readonly Item[]
  /** How many of them the first page has at most. */
  readonly most?: number
  readonly isError?: boolean
}

/**
 * Clients refuse answers of more than 25,000 tokens, or cut them anywhere. This is about 8,000, in bytes of JSON, text
 * and data together; some is left for what the protocol adds.
 */
const mostBytes = 23_500
/** Of one text of an item. */
const mostOfItem = 2500
/** Of the head and the facts. */
const mostOfHead = 3000
/** Kept for later pages, bytes. */
const mostKept = 150_000
const mostCursors = 30

/** The rest of an answer. */
interface Rest extends Pick<Report, 'facts' | 'list' | 'items' | 'most'> {
  readonly head: string
}

/** Makes answers of tools that fit, and keeps the rest of each for its cursor. */
export class Pages {
  readonly #rests = new Map<string, Rest>()
  #count = 0

  /** Makes the first page; `redact` gets texts before they are cut, as half a secret is one, too. */
  async first(report: Report, redact: (value: unknown) => Promise<unknown>): Promise<CallToolResult> {
    const { head, facts, list, most, isError } = report
    const { kept, left } = keepFirst(report.items)
    const clipped = clipTexts({ head, facts, items: kept })
    const whole = isParts(clipped) ? await redact(clipped) : undefined
    if (!isParts(whole)) throw new LocaldError('INTERNAL', 'an answer was not masked')
    const top = cutTexts({ head: whole.head, facts: whole.facts }, mostOfHead)
    const items = whole.items.map(item => cutTexts(item, mostOfItem))
    const made = this.#page({ ...top, list, items, ...(most === undefined ? {} : { most }) }, left)
    return isError === true ? { ...made, isError } : made
  }

  /** Returns the page of a cursor. Throws USAGE for one that is not known. */
  next(cursor: string): CallToolResult {
    const rest = this.#rests.get(cursor)
    if (rest !== undefined) return this.#page(rest, 0)
    throw new LocaldError('USAGE', `unknown cursor '${cursor}'`, {
      hint: 'Use the tool without `cursor`: only the latest cursors of this connection are kept.',
    })
  }

  #page({ head, facts, list, items, most = items.length }: Rest, left: number): CallToolResult {
    const cursor = `c${this.#count + 1}`
    const footer = (more: number) => `${more} more: call this tool again with cursor "${cursor}".`
    // The head is in the text and in the data.
    const frame = sizeOf({ head, summary: head, facts, list, cursor, footer: footer(items.length) })
    let room = mostBytes - frame - 200
    let count = 0
    for (const item of items.slice(0, most)) {
      room -= sizeOf(item.text) + sizeOf(item.data) + 4
      if (room < 0) break
      count += 1
    }
    const shown = items.slice(0, count)
    const rest = items.slice(count)
    if (rest.length > 0) this.#keep(cursor, { head: head.split('\n')[0] ?? '', facts, list, items: rest })
    const lines = [
      ...[head, ...shown.map(({ text }) => text)],
      ...(rest.length > 0 ? [footer(rest.length)] : []),
      ...(left > 0 ? [`${left} older ones are left out.`] : []),
    ]
    return {
      content: [{ type: 'text', text: lines.join('\n') }],
      structuredContent: {
        ...facts,
        summary: head,
        [list]: shown.map(({ data }) => data),
        more: rest.length,
        cursor: rest.length > 0 ? cursor : null,
      },
    }
  }

  #keep(cursor: string, rest: Rest): void {
    this.#count += 1
    this.#rests.set(cursor, rest)
    const [oldest] = this.#rests.keys()
    if (this.#rests.size > mostCursors && oldest !== undefined) this.#rests.delete(oldest)
  }
}

type Parts = Pick<Report, 'head' | 'facts' | 'items'>

function isParts(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)
}

/** Splits off what would take too much memory. */
function keepFirst(items: readonly Item[]): { readonly kept: readonly Item[]; readonly left: number } {
  let room = mostKept
  const end = items.findIndex(({ text }) => {
    room -= Math.min(text.length, mostOfItem) * 2
    return room < 0
  })
  return end < 0 ? { kept: items, left: 0 } : { kept: items.slice(0, end), left: items.length - end }
}
