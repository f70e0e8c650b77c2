import type { KeysAnswer, LogLevel } from '../../../kernel/protocol.ts'
import { parseMoment } from '../../args/values.ts'
import { formatBytes } from '../../output/humanize.ts'
import { shortName } from '../../output/service-state.ts'
import { type Block, toBlocks } from '../logs/block.ts'
import { byInterest, foldBlocks, type Kind } from '../logs/fold.ts'
import { type ReadLines, readLines } from '../logs/read.ts'
import { joinRepeats } from '../logs/repeats.ts'
import type { Item } from '../pages.ts'
import { describePlace, findPlace } from '../place.ts'
import type { Session } from '../session.ts'
import { clockTime } from '../time.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly services?: readonly string[]
  readonly grep?: string
  readonly level?: LogLevel
  readonly since?: string
  readonly until?: string
  readonly raw?: boolean
  readonly seconds?: number
}

const text = { type: 'string' } as const
/** Lines that are folded, and those that are kept for pages. */
const mostLines = 2000
const mostRaw = 600
/** So few blocks are shown as they are. */
const fewBlocks = 40
/** The latest ones, which are shown as they are after what was folded. */
const latestBlocks = 12

/** The output of services. */
export const logs = defineTool<Args>({
  name: 'logs',
  title: 'Output of services',
  description:
    'Returns the output of services: at first the latest lines, then what is new since your last look. Many lines are folded, those that differ in numbers or ids to one with a count, errors and rare ones first. With grep, level, since or until: what matches, whether you saw it or not.',
  input: {
    services: { type: 'array', items: text, description: 'Names of services; default: all of the project' },
    grep: { ...text, description: 'A regular expression; case does not matter' },
    level: { enum: ['debug', 'info', 'warn', 'error'], description: 'Only lines of this level and graver ones' },
    since: { ...text, description: '10s, 5m, 2h, 1d or an ISO time' },
    until: { ...text, description: '10s, 5m, 2h ago, or an ISO time' },
    seconds: { type: 'number', minimum: 0, maximum: 30, description: 'Search further back for so long; default 0.12' },
    raw: { type: 'boolean', description: 'Every line as it is, newest first, by pages' },
  },
  output: {
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          ...{ service: text, text, time: text, since: text },
          ...{ count: { type: 'integer' }, isNew: { type: 'boolean' } },
        },
        required: ['service', 'text', 'time'],
      },
    },
  },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: false },
  async run(session, args) {
    const daemon = await session.daemon()
    const place = await findPlace(session, daemon, args.project)
    const { path } = place
    const { services = [], grep, level, raw = false, seconds } = args
    const limitMs = seconds === undefined ? undefined : seconds * 1000
    const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path, service: services })
    const now = Date.now()
    const since = args.since === undefined ? undefined : parseMoment('since', args.since, now)
    const until = args.until === undefined ? undefined : parseMoment('until', args.until, now)
    const isFiltered = [grep, level, since, until].some(each => each !== undefined)
    const seenTo = isFiltered || raw ? undefined : session.looks.since(keys)
    const found = await readLines(daemon, {
      path,
      keys,
      grep,
      level,
      since: since ?? seenTo,
      until,
      limitMs,
      most: raw ? mostRaw : mostLines,
    })
    const lines = seenTo === undefined ? found.lines : session.looks.fresh(found.lines)
    const blocks = toBlocks(lines)
    const kinds = foldBlocks(blocks)
    const items = raw ? blocks.toReversed().map(itemOfBlock) : itemsOf(session, blocks, kinds)
    if (!isFiltered && !raw) session.looks.note({ keys, begun: new Date(now).toISOString() }, lines, kinds)
    const how = raw || blocks.length <= fewBlocks ? '' : `, folded to ${kinds.length} kinds`
    const scope = seenTo === undefined ? '' : ` new since your last look at ${clockTime(seenTo)}`
    return {
      head: [
        describePlace(place),
        `${lines.length === 0 ? 'No lines' : `${lines.length} lines`}${scope}${how}${describeReach(found)}`,
      ].join('\n'),
      facts: { project: place },
      list: 'lines',
      items,
    }
  },
})

/** Says how far back was read, where that was not all. */
function describeReach({ isCut, progress, lines }: ReadLines): string {
  if (!isCut) return ''
  const to = progress === undefined ? lines[0]?.time : progress.scannedTo
  const older = to == null ? '' : `; older ones with \`until\` ${to}`
  if (progress === undefined) return ` (the latest${older})`
  const { scannedBytes, totalBytes } = progress
  return ` (searched ${formatBytes(scannedBytes)} of ${formatBytes(totalBytes)}${older}, or more with \`seconds\`)`
}

/** Returns few blocks as they are; of more, the folded kinds by interest, then the latest as they are. */
function itemsOf(session: Session, blocks: readonly Block[], kinds: readonly Kind[]): readonly Item[] {
  if (blocks.length <= fewBlocks) return joinEqual(blocks)
  const isNew = ({ service, template }: Kind) => session.looks.isNewKind(service, template)
  const folded = kinds.toSorted(byInterest(isNew)).map(kind => itemOfKind(kind, isNew(kind)))
  const latest = joinEqual(blocks.slice(-latestBlocks))
  // The latest ones are on the first page, behind what is most interesting.
  const first = 30
  return [
    ...folded.slice(0, first),
    ...latest.map((item, index) => (index === 0 ? { ...item, text: `The latest:\n${item.text}` } : item)),
    ...folded.slice(first),
  ]
}

/** Joins blocks that are repeated at once, such as those of each crash in a loop. */
function joinEqual(blocks: readonly Block[]): readonly Item[] {
  return joinRepeats(blocks).map(kind => itemOfKind(kind, false))
}

function itemOfBlock({ service, time, text: line }: Block): Item {
  return itemOfKind({ service, template: '', count: 1, gravity: 0, first: time, last: time, text: line }, false)
}

function itemOfKind({ service, count, first, last, text: line }: Kind, isNew: boolean): Item {
  const name = shortName(service)
  const times = count === 1 ? clockTime(last) : `${count} × ${clockTime(first)}–${clockTime(last)}`
  const mark = isNew ? ' (new)' : ''
  return {
    text: `${times}${mark} ${name} | ${line}`,
    data: {
      ...{ service: name, text: line, time: last },
      ...(count === 1 ? {} : { count, since: first }),
      ...(isNew ? { isNew } : {}),
    },
  }
}
