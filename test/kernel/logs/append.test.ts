import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { LogEntry } from '../../../kernel/contract/plugin.ts'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import { findLastEntry } from '../../../kernel/logs/last-entry.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { LogWriter } from '../../../kernel/logs/writer.ts'
import { folder } from '../../lib/log-model.ts'
import { onlyLinux } from '../../lib/machine.ts'

/** The time of an entry, by its number of microseconds. */
const timeOf = (us: number) => `2026-11-30T00:00:00.${String(us).padStart(6, '0')}Z`

function entry(us: number, text: string | Buffer, part: Partial<LogEntry> = {}): LogEntry {
  return { time: timeOf(us), stream: 'stdout', isFull: true, text: Buffer.from(text), ...part }
}

t.test('appends entries with their own times, streams and bytes', async t => {
  const log = new ServiceLog(folder(t))
  let changes = 0
  t.teardown(log.watch(() => changes++))
  const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0d])
  t.ok(log.append([entry(1, 'a'), entry(2, bytes, { stream: 'stderr' }), entry(3, 'half', { isFull: false })]))
  t.ok(log.append([]))
  t.ok(log.append([entry(4, '')]))
  t.equal(changes, 2, 'one for each write')
  const lines = ['stdout F a\n', 'stderr F ', 'stdout P half\n', 'stdout F \n'].map((text, index) =>
    Buffer.from(`${timeOf(index + 1)} ${text}`),
  )
  t.strictSame(
    readFileSync(log.file),
    Buffer.concat([...lines.slice(0, 2), bytes, Buffer.from('\n'), ...lines.slice(2)]),
  )
  const cursor = new LogCursor(log.file)
  const last = await cursor.last(1)
  await cursor.close()
  t.match(last, [{ time: timeOf(3), text: 'half' }])
})

t.test('finds the last entry and how many have its time', async t => {
  const log = new ServiceLog(folder(t))
  t.equal(await log.lastEntry(), undefined)
  log.write('locald', 'starting')
  t.equal(await log.lastEntry(), undefined, "locald's lines do not count")
  log.append([entry(1, 'e', { stream: 'stderr' }), entry(2, 'a'), entry(2, 'b'), entry(3, 'c'), entry(3, 'd')])
  log.write('locald', 'not ready')
  log.append([entry(3, 'f', { stream: 'stderr' }), entry(3, 'g stdout', { isFull: false })])
  t.strictSame(await log.lastEntry(), { time: timeOf(3), count: 4 })
  t.strictSame(await log.lastEntry('stdout'), { time: timeOf(3), count: 3 })
  t.strictSame(await log.lastEntry('stderr'), { time: timeOf(3), count: 1 })
})

t.test('finds the last entry of a silent stream and one time over many blocks and files', async t => {
  const file = join(folder(t), 'log')
  const writer = new LogWriter(file, 100_000, 99)
  writer.append([entry(1, 'stderr', { stream: 'stderr' })])
  for (let batch = 0; batch < 40; batch++) {
    writer.append(Array.from({ length: 100 }, (_, index) => entry(7, ` stderr ${batch} ${index} ${'x'.repeat(50)}`)))
  }
  t.ok(readdirSync(dirname(file)).length > 3, 'rotated')
  t.strictSame(await findLastEntry(file), { time: timeOf(7), count: 4000 })
  t.strictSame(await findLastEntry(file, 'stderr'), { time: timeOf(1), count: 1 })
})

t.test('rotates at the cap', async t => {
  const file = join(folder(t), 'log')
  const writer = new LogWriter(file, 2000, 3)
  for (let line = 0; line < 200; line++) writer.append([entry(line, `line ${line}`)])
  t.strictSame(readdirSync(dirname(file)).sort(), ['log', 'log.1', 'log.2'])
  t.ok(readdirSync(dirname(file)).every(name => statSync(join(dirname(file), name)).size <= 2000))
})

t.test('removes a torn entry before the next one', async t => {
  const dir = folder(t)
  new ServiceLog(dir).append([entry(1, 'whole')])
  const file = join(dir, 'log')
  appendFileSync(file, `${timeOf(2)} stdout F hal`)
  const next = new ServiceLog(dir)
  next.write('locald', 'adopted')
  t.strictSame(await next.lastEntry(), { time: timeOf(1), count: 1 })
  next.append([entry(2, 'half')])
  t.match(readFileSync(file, 'utf8').split('\n'), [/F whole$/, /locald F adopted$/, /F half$/, ''])
})

t.test('removes a log that is one torn entry, and keeps a file that is no log', async t => {
  const [torn, other] = [folder(t), folder(t)]
  appendFileSync(join(torn, 'log'), '2026-11')
  utimesSync(join(torn, 'log'), 1, 1)
  appendFileSync(join(other, 'log'), 'x'.repeat(100_000))
  const began = performance.now()
  t.equal(statSync(new ServiceLog(torn).file).size, 0)
  t.ok(performance.now() - began < 200, 'without a pause, as nothing writes it')
  t.equal(statSync(new ServiceLog(other).file).size, 100_000)
})

t.test('an entry that a keeper is writing is not removed', async t => {
  const dir = folder(t)
  const file = join(dir, 'log')
  appendFileSync(file, `${timeOf(1)} stdout F first\n${timeOf(2)} stdout F `)
  // Its write is in two halves, and the second comes during the look.
  const writer = spawn('/bin/sh', ['-c', `echo; read -r go; sleep 0.1; echo second >>${file}`])
  await once(writer.stdout, 'data')
  const now = new Date()
  utimesSync(file, now, now)
  writer.stdin.end('\n')
  const exit = once(writer, 'exit')
  new ServiceLog(dir)
  await exit
  t.match(readFileSync(file, 'utf8').split('\n'), [/F first$/, /F second$/, ''])
})

t.test(
  'returns false on a full disk, writes nothing, and succeeds later without a loss',
  { skip: onlyLinux('a tmpfs') || (process.getuid?.() !== 0 && 'only root may mount') },
  async t => {
    const dir = folder(t)
    t.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status, 0)
    t.teardown(() => spawnSync('umount', [dir]))
    const log = new ServiceLog(join(dir, 'service'))
    let next = 0
    while (log.append([entry(next, `line ${next} ${'-'.repeat(200)}`)])) next++
    t.ok(next > 100, `${next} lines fit`)
    t.strictSame(await log.lastEntry(), { time: timeOf(next - 1), count: 1 })
    log.write('locald', 'x'.repeat(5000))
    truncateSync(log.file)
    t.ok(log.append([entry(next, 'retried')]))
    const lines = readFileSync(log.file, 'utf8').split('\n')
    t.match(lines, [/ locald F 1 earlier lines could not be written$/, / stdout F retried$/, ''])
  },
)

t.test('a log that is a folder is reported, not thrown', async t => {
  const dir = folder(t)
  mkdirSync(join(dir, 'log'))
  t.equal(new ServiceLog(dir).append([entry(1, 'a')]), false)
})

t.test('every entry is on file once after kills in the middle of appends', { timeout: 60_000 }, async t => {
  const dir = folder(t)
  const url = new URL('../../../kernel/logs/service-log.js', import.meta.url).href
  const script = `
    import { ServiceLog } from ${JSON.stringify(url)}
    const log = new ServiceLog(${JSON.stringify(dir)})
    const last = await log.lastEntry()
    // Three entries have the same time.
    let next = last === undefined ? 0 : Number(last.time.slice(20, 26)) * 3 + last.count
    console.log('ready')
    for (;;) {
      const entries = Array.from({ length: 200 }, () => {
        const time = '2026-11-30T00:00:00.' + String(Math.floor(next / 3)).padStart(6, '0') + 'Z'
        return { time, stream: 'stdout', isFull: true, text: Buffer.from(next++ + ' ' + 'x'.repeat(3000)) }
      })
      if (!log.append(entries)) throw new Error('not written')
      await null
      if (next > 2_500_000) break
    }`
  for (let kill = 0; kill < 12; kill++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await sleep(Math.random() * 40)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const log = new ServiceLog(dir)
  const cursor = new LogCursor(log.file)
  await cursor.seek()
  let next: number | undefined
  let count = 0
  for (let lines = await cursor.next(); lines.length > 0; lines = await cursor.next()) {
    for (const { text } of lines) {
      const number = Number.parseInt(text, 10)
      if (next !== undefined && number !== next) t.equal(number, next)
      next = number + 1
      count++
    }
  }
  await cursor.close()
  t.ok(count > 1000, `${count} lines`)
})
