import type { LogLine } from '../../../kernel/events.ts'
import { sanitizeLogText } from '../../output/log-format.ts'

/** A line with those that continue it, such as a stack trace. */
export interface Block {
  readonly service: string
  readonly time: string
  readonly stream: string
  readonly text: string
}

/** Lines of a block; a longer one begins another. */
const mostLines = 25
/** Indented lines, and what follows an exception in Python, Java, Go and Node.js. */
const continues = /^(?:\s+\S|Caused by:|\.\.\. \d+ more|goroutine \d|[\]})]+[,;]?$)/

/** Joins the lines of each service, the oldest first, to blocks. */
export function toBlocks(lines: readonly LogLine[]): readonly Block[] {
  const blocks: { service: string; time: string; stream: string; lines: string[] }[] = []
  const open = new Map<string, (typeof blocks)[number]>()
  for (const { service, time, stream, text } of lines) {
    const plain = sanitizeLogText(text, false).trimEnd()
    if (plain === '') continue
    const last = open.get(`${service} ${stream}`)
    if (last !== undefined && last.lines.length < mostLines && continues.test(plain)) {
      last.lines.push(plain)
      continue
    }
    const block = { service, time, stream, lines: [plain] }
    open.set(`${service} ${stream}`, block)
    blocks.push(block)
  }
  return blocks.map(({ lines: texts, ...block }) => ({ ...block, text: texts.join('\n') }))
}
