import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import { longestLine, type OutputLine, stampOf } from '../../../kernel/logs/lines.ts'
import { folder, ModelLog } from '../../lib/log-model.ts'

const texts = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text)

/** Reads on until there is no more for now. */
async function drain(cursor: LogCursor): Promise<OutputLine[]> {
  const lines: OutputLine[] = []
  for (let next = await cursor.next(); next.length > 0; next = await cursor.next()) lines.push(...next)
  return lines
}

t.test('a cursor', async t => {
  t.test('waits for a log that does not exist yet', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    const cursor = new LogCursor(model.file)
    t.equal(await cursor.seek({ tail: 3, follow: true }), 0)
    t.strictSame(await cursor.next(), [])
    model.write('stdout', 'first')
    t.strictSame(texts(await cursor.next()), ['first'])
    await cursor.close()
  })

  t.test('a line whose beginning was not read arrives whole', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    model.write('stdout', 'who are ', false)
    for (let index = 0; index < 10; index++) model.write('stderr', 'y'.repeat(20_000))
    const cursor = new LogCursor(model.file)
    await cursor.seek({ tail: 0, follow: true })
    model.write('stdout', 'you?')
    t.strictSame(texts(await cursor.next()), ['who are you?'])
    await cursor.close()
  })

  t.test('a reader that falls behind the cap continues with the oldest line and reports the loss', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    model.write('stdout', '1')
    const cursor = new LogCursor(model.file)
    await cursor.seek({ follow: true })
    t.strictSame(texts(await drain(cursor)), ['1'])
    for (const line of ['2', '3', '4']) {
      model.rotate()
      model.write('stdout', line)
    }
    t.notOk(cursor.lost)
    model.drop()
    model.drop()
    t.strictSame(texts(await drain(cursor)), ['3', '4'])
    t.ok(cursor.lost)
    await cursor.close()
  })

  t.test('without following, a reader stops at the end as of its start, also when that was rotated away', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    for (const line of ['1', '2', '3']) {
      model.write('stdout', line)
      if (line !== '3') model.rotate()
    }
    const cursor = new LogCursor(model.file)
    await cursor.seek()
    model.write('stdout', '4')
    t.strictSame(texts(await cursor.next()), ['1'])
    for (const line of ['5', '6']) {
      model.rotate()
      model.write('stdout', line)
    }
    for (let left = 4; left > 0; left--) model.drop()
    t.strictSame(texts(await drain(cursor)), ['3'])
    await cursor.close()
  })

  t.test('continues during a rotation, and after a file was removed', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    for (const line of ['1', '2', '3']) {
      model.write('stdout', line)
      model.rotate()
    }
    rmSync(model.file)
    const last = new LogCursor(model.file)
    t.strictSame(texts(await last.last(2)), ['2', '3'], 'the new file is not there yet')
    await last.close()
    rmSync(`${model.file}.2`)
    model.write('stdout', '4')
    const cursor = new LogCursor(model.file)
    await cursor.seek()
    t.strictSame(texts(await drain(cursor)), ['1', '3', '4'])
    await cursor.close()
  })

  t.test('continues after the log was truncated or removed', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    model.write('stdout', 'a long line that was there')
    const cursor = new LogCursor(model.file)
    await cursor.seek({ follow: true })
    t.equal((await drain(cursor)).length, 1)
    truncateSync(model.file)
    t.strictSame(await drain(cursor), [])
    model.write('stdout', 'new')
    t.strictSame(texts(await drain(cursor)), ['new'])
    rmSync(model.file)
    model.write('stdout', 'newer')
    t.strictSame(texts(await drain(cursor)), ['newer'])
    await cursor.close()
  })

  t.test('after a rename or removal it continues with the new log, without earlier lines', async t => {
    for (const change of [(file: string) => renameSync(file, `${file}-yesterday`), (file: string) => rmSync(file)]) {
      const model = new ModelLog(join(folder(t), 'log'))
      model.write('stdout', '1')
      utimesSync(model.file, 1, 1)
      model.rotate()
      model.write('stdout', '2')
      const cursor = new LogCursor(model.file)
      await cursor.seek({ follow: true })
      t.strictSame(texts(await drain(cursor)), ['1', '2'])
      change(model.file)
      t.strictSame(await drain(cursor), [])
      model.write('stdout', '3')
      t.strictSame(texts(await drain(cursor)), ['3'])
      await cursor.close()
    }
  })

  t.test('skips damaged entries, returns a line without an end in pieces', async t => {
    const model = new ModelLog(join(folder(t), 'log'))
    const cursor = new LogCursor(model.file)
    appendFileSync(
      model.file,
      'no entry\n\n2026-11-24T00:00:00.000000Z\n2026-11-24T00:00:00.000000Z stdout X y\n\0\0\n',
    )
    model.write('stdout', 'good')
    t.strictSame(texts(await drain(cursor)), ['good'])
    let longest = 0
    let total = 0
    for (let piece = 0; piece < 200; piece++) model.write('stdout', 'é'.repeat(8192), false)
    model.write('stdout', 'end')
    for (const { text } of await drain(cursor)) {
      longest = Math.max(longest, text.length)
      total += text.length
      t.notMatch(text, '\ufffd')
    }
    t.equal(total, 200 * 8192 + 3)
    t.ok(longest < longestLine + 16_384)
    await cursor.close()
  })

  t.test('times', async t => {
    t.equal(stampOf('2026-11-24T03:44:10Z'), '2026-11-24T03:44:10.000000Z')
    t.equal(stampOf('2026-11-24T04:44:10.5+01:00'), '2026-11-24T03:44:10.500000Z')
    t.equal(stampOf('2026-11-24T03:44:10.123456Z'), '2026-11-24T03:44:10.123456Z')
    t.equal(stampOf('yesterday'), undefined)
  })
})
