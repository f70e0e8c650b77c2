import t from 'tap'
import { ClientEntries } from '../../../../plugins/container/logs/client-entries.ts'
import { entryTime } from '../../../../plugins/container/logs/entry-time.ts'
import type { Dialect } from '../../../../plugins/container/provides.ts'

/** Parses an output in chunks of a length; each entry as one text. */
function parse(output: string, dialect: Dialect, length = output.length, hasEnd = true) {
  const entries = new ClientEntries('stdout', dialect)
  const bytes = Buffer.from(output, 'latin1')
  const found = []
  for (let at = 0; at < bytes.length; at += length) found.push(...entries.push(bytes.subarray(at, at + length)))
  if (hasEnd) found.push(...entries.end())
  const texts = found.map(
    ({ time, isFull, text }) => `${time.slice(17)} ${isFull ? 'F' : 'P'} ${text.toString('latin1')}`,
  )
  return { texts, message: entries.message }
}

const time = (ns: number) => `2020-11-30T17:33:07.${String(ns).padStart(9, '0')}Z`
const part = (letter: string, length = 16_384) => letter.repeat(length)

t.test('converts times of all engines to UTC with six decimals', async t => {
  t.equal(entryTime('2026-11-30T17:33:07.915031923+00:00'), '2026-11-30T17:33:07.915031Z')
  t.equal(entryTime('2026-11-30T17:33:07.915031999Z'), '2026-11-30T17:33:07.915031Z')
  t.equal(entryTime('2026-11-30T23:03:07.9+05:30'), '2026-11-30T17:33:07.900000Z')
  t.equal(entryTime('2026-11-30T17:33:07Z'), '2026-11-30T17:33:07.000000Z')
  t.equal(entryTime('2026-11-30T17:33:07-02:00'), '2026-11-30T19:33:07.000000Z')
  for (const wrong of ['', 'Error:', '2026-11-30 17:33:07Z', '2026-13-30T17:33:07.1+05:00'])
    t.equal(entryTime(wrong), undefined, wrong)
})

/** What engines print, and the entries in it. */
const outputs: Readonly<Record<string, readonly [Dialect, string, readonly string[]]>> = {
  'short lines, an empty one and bytes': [
    'docker',
    `${time(1000)} a\n${time(2000)} \n${time(3000)} \xff\0\r\n`,
    ['07.000001Z F a', '07.000002Z F ', '07.000003Z F \xff\0\r'],
  ],
  "docker's parts of 16 KB": [
    'docker',
    `${time(1000)} ${part('a')}${time(2000)} ${part('b')}${time(3000)} c\n${time(4000)} d\n`,
    [`07.000001Z P ${part('a')}`, `07.000002Z P ${part('b')}`, '07.000003Z F c', '07.000004Z F d'],
  ],
  'a line of exactly 16 KB': [
    'docker',
    `${time(1000)} ${part('a')}\n${time(2000)} b\n`,
    [`07.000001Z F ${part('a')}`, '07.000002Z F b'],
  ],
  'a long line in one piece': [
    'nerdctl',
    `${time(1000)} ${part('a')}${part('b')}${part('c')}\n${time(2000)} d\n`,
    [`07.000001Z P ${part('a')}`, `07.000001Z P ${part('b')}`, `07.000001Z F ${part('c')}`, '07.000002Z F d'],
  ],
  "podman's parts of any length": [
    'podman',
    `${time(1000)} prompt> ${time(2000)} answer\n${time(3000)} ${part('a', 8192)}${time(4000)} \n`,
    ['07.000001Z P prompt> ', '07.000002Z F answer', `07.000003Z P ${part('a', 8192)}`, '07.000004Z F '],
  ],
  'times that a program prints': [
    'podman',
    `${time(2000)} at ${time(1000)} ok\n${time(3000)} until 2999-01-01T00:00:00Z ok\n`,
    [`07.000002Z F at ${time(1000)} ok`, '07.000003Z F until 2999-01-01T00:00:00Z ok'],
  ],
  'an end without a newline': ['docker', `${time(1000)} a\n${time(2000)} b`, ['07.000001Z F a', '07.000002Z P b']],
}

for (const [title, [dialect, output, expected]] of Object.entries(outputs)) {
  t.test(`parses ${title}, in chunks of any length`, async t => {
    for (const length of [1, 7, 1000, 16_384, 16_385, output.length])
      t.strictSame(parse(output, dialect, length).texts, expected, `${length}`)
  })
}

t.test('returns no entry whose end has not arrived', async t => {
  const { texts } = parse(`${time(1000)} a\n${time(2000)} b`, 'docker', 5, false)
  t.strictSame(texts, ['07.000001Z F a'])
})

t.test('keeps a message of the client out of the entries', async t => {
  const { texts, message } = parse(`Error: no container with name c\n${time(1000)} a\n`, 'podman', 9)
  t.strictSame(texts, ['07.000001Z F a'])
  t.equal(message, 'Error: no container with name c')
})

t.test('an endless line is returned in parts', async t => {
  const entries = new ClientEntries('stdout', 'nerdctl')
  entries.push(Buffer.from(`${time(1000)} `))
  let bytes = 0
  for (let chunk = 0; chunk < 100; chunk++)
    for (const { text } of entries.push(Buffer.alloc(60_000, 'x'))) bytes += text.length
  t.ok(bytes > 100 * 60_000 - 20_000, `${bytes} bytes`)
})
