/** Compares what is found with a prefilter to what is found when every line is matched. */
import { deepStrictEqual as same } from 'node:assert'
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Grep } from '../../../kernel/logs/grep.ts'
import type { OutputLine } from '../../../kernel/logs/lines.ts'
import { readLogs } from '../../../kernel/logs/merge.ts'
import { searchLogs } from '../../../kernel/logs/search.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { Clock, folder } from '../../lib/log-model.ts'

/** Parts of lines: pieces of what is searched for, and what is not seen, or only looks like it. */
const pieces = [
  ...[
    'ER',
    'ROR',
    'ERROR',
    'error',
    'E',
    'R',
    'O',
    'sick',
    'k',
    's',
    ' P ',
    ' F ',
    '漢',
    '字',
    'İ',
    'ı',
    'ſ',
    '\u212a',
  ],
  ...[
    '\u001b[31m',
    '\u001b[0m',
    '\u001b[2K',
    '\u001b[G',
    '\u001b',
    '\u001b]0;title\u0007',
    '\u001b]8;;x\u001b\\',
    '\u001b]',
  ],
  ...['\r', '\u0000', '\b', '\u0007', '\t', '\u001b\u0000[31m', '\u001b\u001b[2K[31m', '\u001b(B', '\u007f'],
].map(text => Buffer.from(text))
const invalid = [0xe6, 0x9c, 0x80, 0xff, 0xc5].map(byte => Buffer.of(byte))
const patterns = [
  'ERROR',
  'R+OR',
  'sick',
  '漢字',
  '(ERROR|sick)k',
  'E.?R',
  's',
  'x|漢',
  '\\d7',
  'ERROR$',
  '^.{3}OR',
  '\ufffdE',
]

interface Entry {
  readonly stream: string
  readonly isFull: boolean
  readonly text: Buffer
  /** Lines after it that are long enough for other blocks. */
  readonly fill: number
}

const anything = fc
  .array(fc.constantFrom(...pieces, ...pieces, ...invalid), { maxLength: 8 })
  .map(all => Buffer.concat(all))

/** What is searched for, with what is not seen in between. */
const split = fc
  .tuple(fc.constantFrom('ERROR', 'error', 'sick', '漢字'), fc.nat(4), fc.constantFrom(...pieces), fc.nat(4), anything)
  .map(([word, at, unseen, more, after]) =>
    Buffer.concat([Buffer.from(word.slice(0, at)), unseen, Buffer.from(word.slice(at, at + more)), after]),
  )

const entry: fc.Arbitrary<Entry> = fc.record({
  stream: fc.constantFrom('stdout', 'stdout', 'stderr'),
  isFull: fc.constantFrom(true, true, true, true, true, false),
  text: fc.oneof(anything, split, split),
  fill: fc.constantFrom(0, 50, 100),
})

/** Writes entries, of which a block has the more the fewer lines are between them. */
function write(file: string, entries: readonly Entry[]): void {
  const clock = new Clock()
  const bytes = entries.flatMap(({ stream, isFull, text, fill }) => [
    Buffer.from(`${clock.tick()} ${stream} ${isFull ? 'F' : 'P'} `),
    text,
    Buffer.from('\n'),
    ...Array.from({ length: fill }, (_, n) => Buffer.from(`${clock.tick()} stdout F ${n} ${'-'.repeat(1500)}\n`)),
  ])
  writeFileSync(file, Buffer.concat(bytes))
}

const lastEntry: Entry = { stream: 'stdout', isFull: true, text: Buffer.from('last'), fill: 0 }

function logOf(t: Test): ServiceLog {
  return new ServiceLog(folder(t, true))
}

async function read(log: ServiceLog, request: object): Promise<readonly OutputLine[]> {
  const lines: OutputLine[] = []
  const signal = new AbortController().signal
  for await (const batch of readLogs({ sources: [{ service: 'p:a', log }], follow: false, signal, ...request }))
    lines.push(...batch.map(({ time, stream, text }) => ({ time, stream, text })))
  return lines
}

async function searchAll(log: ServiceLog, request: object): Promise<readonly string[]> {
  const lines: string[] = []
  const signal = new AbortController().signal
  for await (const step of searchLogs({ sources: [{ service: 'p:a', log }], limit: 1e6, signal, ...request }))
    lines.push(...step.lines.map(({ time, text }) => JSON.stringify([time, text])))
  return lines
}

/** Returns an expression that matches the same, and of which no text is known to be needed. */
const slow = (pattern: string) => `(?=)(?:${pattern})`
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)

t.test('finds the same lines as without a prefilter', async t => {
  const log = logOf(t)
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...patterns),
      fc.boolean(),
      fc.constantFrom(undefined, 1, 3, 1000),
      async (entries, pattern, ignoreCase, tail) => {
        write(log.file, entries)
        const found = await read(log, { grep: pattern, ignoreCase, tail })
        const all = new Grep(slow(pattern), { ignoreCase }).matching(await read(log, {}))
        same(found, tail === undefined ? all : all.slice(-tail))
        // A search joins a line of two blocks, and of no more.
        write(log.file, [...entries.map(one => ({ ...one, stream: 'stdout' })), lastEntry])
        const search = async (text: string, regex: boolean) =>
          (await searchAll(log, { text, regex, case: !ignoreCase })).toSorted()
        same(await search(pattern, true), await search(slow(pattern), true))
        // Unlike an expression, it has the case of single characters changed to their lower one.
        if (!ignoreCase) same(await search(pattern, false), await search(slow(escaped(pattern)), true))
      },
    ),
    { numRuns: Number(process.env['LOCALD_RUNS'] ?? 100) },
  )
})

t.test('is not asked where no text is needed', async t => {
  t.equal(new Grep(slow('ERROR')).prefilter, undefined)
  t.ok(new Grep('ERROR').prefilter)
})

t.test('finds a line whose parts are far from each other, and one with colours in a word', async t => {
  const log = logOf(t)
  const fill = { stream: 'stdout', isFull: true, text: Buffer.from('other'), fill: 150 }
  const part = (text: string, isFull: boolean, stream = 'stderr') => ({
    ...{ stream, isFull, text: Buffer.from(text), fill: 0 },
  })
  write(log.file, [fill, part('begins ER', false), fill, part('ROR', true), fill, part('E\u001b[1mRROR', true), fill])
  const texts = ['begins ERROR', 'E\u001b[1mRROR']
  t.strictSame(
    (await read(log, { grep: 'ERROR' })).map(({ text }) => text),
    texts,
  )
  t.strictSame(
    (await read(log, { grep: 'ERROR', tail: 2 })).map(({ text }) => text),
    texts,
  )
})
