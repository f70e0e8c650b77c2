import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import { daemonLog } from '../../../kernel/logs/daemon-log.ts'
import { LogWriter } from '../../../kernel/logs/writer.ts'
import { folder } from '../../lib/log-model.ts'
import { onlyLinux } from '../../lib/machine.ts'

const texts = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text)

t.test('writer', async t => {
  t.test('rotates at the cap and keeps the allowed number of files', async t => {
    const file = join(folder(t), 'deep', 'log')
    const writer = new LogWriter(file, 2000, 3)
    for (let line = 0; line < 200; line++) writer.write('stdout', `line ${line}\n`)
    t.strictSame(readdirSync(join(file, '..')).sort(), ['log', 'log.1', 'log.2'])
    t.ok(readdirSync(join(file, '..')).every(name => statSync(join(file, '..', name)).size <= 2000))
    const cursor = new LogCursor(file)
    t.strictSame(texts(await cursor.last(3)), ['line 197', 'line 198', 'line 199'])
    await cursor.close()
  })

  t.test('writes entries in the format of a keeper', async t => {
    const file = join(folder(t), 'log')
    const writer = new LogWriter(file, 1e6, 3)
    const long = '😀'.repeat(10_001)
    writer.write('stdout', `a\n\n${long}\n`)
    t.ok(
      readFileSync(file, 'utf8')
        .split('\n')
        .every(line => Buffer.byteLength(line) < 16_384 + 50),
    )
    const cursor = new LogCursor(file)
    t.strictSame(texts(await cursor.last(9)), ['a', '', long])
    await cursor.close()
  })

  t.test("locald's own lines never rotate what a keeper writes", async t => {
    const file = join(folder(t), 'log')
    const writer = new LogWriter(file, 100, 3)
    for (let line = 0; line < 20; line++) writer.write('locald', 'starting')
    t.strictSame(readdirSync(join(file, '..')), ['log'])
  })

  t.test(
    'a full disk loses lines and nothing else',
    { skip: onlyLinux('a tmpfs') || (process.getuid?.() !== 0 && 'only root may mount') },
    async t => {
      const dir = folder(t)
      t.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status, 0)
      t.teardown(() => spawnSync('umount', [dir]))
      const file = join(dir, 'log')
      const writer = new LogWriter(file, 1e6, 3)
      for (let line = 0; line < 2000; line++) writer.write('stdout', `line ${line} ${'-'.repeat(100)}`)
      const cursor = new LogCursor(file)
      const [last] = await cursor.last(1)
      t.match(last?.text, /^line \d+ -{100}$/, 'no line is torn')
      await cursor.close()
      truncateSync(file)
      writer.write('stdout', 'there is room again')
      const lines = readFileSync(file, 'utf8').split('\n')
      t.match(lines[0], /^\S+ stdout F \d+ earlier lines could not be written$/)
      t.match(lines[1], /^\S+ stdout F there is room again$/)
    },
  )
})

t.test('a log that cannot be opened drops lines, and the next line counts them', async t => {
  const file = join(folder(t), 'log')
  mkdirSync(file)
  const writer = new LogWriter(file, 1e6, 3)
  writer.write('warn', 'one\ntwo')
  rmdirSync(file)
  writer.write('warn', 'three')
  const cursor = new LogCursor(file)
  t.strictSame(texts(await cursor.last(9)), ['2 earlier lines could not be written', 'three'])
  await cursor.close()
})

t.test("the daemon's log contains no terminal control sequences", async t => {
  const file = join(folder(t), 'daemon.log')
  daemonLog(file)('kernel').warn('größe\t\x1b]0;x\x07\x9b2J\u202eb\nc')
  const [first, second] = readFileSync(file, 'utf8').split('\n')
  t.match(first, /^\S+ warn F kernel: größe\t\\u001b\]0;x\\u0007\\u009b2J\\u202eb$/)
  t.match(second, /^\S+ warn F c$/)
})
