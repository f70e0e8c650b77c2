import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { eachVariant, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { until } from '../../lib/running.ts'

const { release, asan, xnu } = variants()
const testProgram = buildTestProgram(ownFolder(t))

/** The path of a log is looked at so often: ms. */
const lookMs = 20

/** What makes `test-program steps` go on: SIGUSR1. */
const next = `signal ${constants.signals.SIGUSR1}`

eachVariant(t, [asan, release, xnu], logs)

function logs(t: Test, variant: Variant) {
  keeperTest(t, variant, 'entries: time, stream, tag, raw text', async (t, start) => {
    const before = Date.now()
    const one = start(['printf', '\\033[31mred\\033[0m\\n\\n\\377\\000x\\ntab\\there\\r\\n'])
    await one.line.next('exit')
    const bytes = readFileSync(one.logPath, 'latin1')
    const texts = bytes
      .split('\n')
      .slice(0, -1)
      .map(line => line.slice(37))
    t.strictSame(texts, ['\x1b[31mred\x1b[0m', '', '\xff\0x', 'tab\there\r'])
    const time = Date.parse(bytes.slice(0, 27))
    t.ok(time >= before - 1 && time <= Date.now() + 1)
    t.equal(statSync(one.logPath).mode & 0o777, 0o600)
  })

  keeperTest(t, variant, 'logs a prompt while the service waits', async (t, start) => {
    const one = start([testProgram, 'steps', 'name? ', 'hello ', 'you\n'])
    await one.logged('name? ')
    t.strictSame(one.entries, [['stdout', 'P', 'name? ']])
    one.line.send(next)
    await one.logged('hello ')
    one.line.send(next)
    await one.line.next('exit')
    t.strictSame(
      one.entries.map(([, tag, text]) => tag + text),
      ['Pname? ', 'Phello ', 'Fyou'],
    )
  })

  keeperTest(t, variant, 'completes an unfinished line when its stream closes', async (t, start) => {
    const one = start(['sh', '-c', 'printf open; sleep 0.2'])
    await one.line.next('exit')
    t.strictSame(one.entries, [
      ['stdout', 'P', 'open'],
      ['stdout', 'F', ''],
    ])
  })

  keeperTest(t, variant, 'logs a progress bar on a terminal with its \\r', async (t, start) => {
    const one = start([testProgram, 'steps', '10%\r', '99%\r\n'], { args: ['--tty', '80x24'] })
    await one.logged('10%')
    one.line.send(next)
    await one.line.next('exit')
    // The terminal adds a \r of its own before the \n; one of the two is dropped.
    t.strictSame(
      one.entries.map(([, tag, text]) => tag + text),
      ['P10%', 'F\r99%\r'],
    )
  })

  keeperTest(t, variant, 'cuts long lines into pieces of 16 KiB', async (t, start) => {
    const print = (count: number) => `head -c ${count} /dev/zero | tr '\\0' x; echo;`
    const one = start(['sh', '-c', `${print(16384)} ${print(16385)} ${print(50000)} ${print(1)}`])
    await one.line.next('exit')
    const joined = one.entries.reduce((text, [, tag, piece]) => text + piece + (tag === 'F' ? '\n' : ''), '')
    t.strictSame(
      joined.split('\n').map(line => line.length),
      [16384, 16385, 50000, 1, 0],
    )
    t.ok(one.entries.every(([, , text]) => text.length <= 16384))
    t.equal((one.entries[0] ?? [])[1], 'F', 'exactly 16 KiB fit')
  })

  keeperTest(t, variant, 'rotates files at their size without tearing an entry', async (t, start, dir) => {
    const one = start([testProgram, 'lines', '3000'], { args: ['--log-bytes', '20000', '--log-files', '3'] })
    await one.line.next('exit')
    const files = readdirSync(dir)
      .filter(name => name.startsWith('log'))
      .sort()
    t.strictSame(files, ['log', 'log.1', 'log.2'])
    const texts = files.reverse().map(name => readFileSync(join(dir, name), 'utf8'))
    t.ok(texts.every(text => text.length <= 20000 && text.endsWith('.\n')))
    const numbers = texts
      .join('')
      .split('\n')
      .slice(0, -1)
      .map(line => Number(line.slice(37).split(' ')[0]))
    const first = numbers[0] ?? 0
    t.strictSame(
      numbers,
      Array.from({ length: numbers.length }, (_, at) => first + at),
    )
    t.equal(numbers.at(-1), 2999)
    const single = start([testProgram, 'lines', '3000'], { args: ['--log-bytes', '20000', '--log-files', '1'] })
    await single.line.next('exit')
    t.ok(statSync(single.logPath).size <= 20000)
    t.match(single.entries.at(-1), ['stdout', 'F', /^2999 /])
  })

  keeperTest(t, variant, 'logs 200,000 lines completely and in order', async (t, start) => {
    const one = start(['seq', '200000'], { args: ['--log-bytes', '1000000000'] })
    await one.line.next('exit', 30_000)
    const expected = Array.from({ length: 200_000 }, (_, at) => String(at + 1))
    const got = one.entries.map(([, tag, text]) => (tag === 'F' ? text : 'P'))
    t.equal(got.length, expected.length)
    t.ok(got.every((text, at) => text === expected[at]))
  })

  keeperTest(
    t,
    variant,
    'a full disk costs log lines, not the service',
    async (t, start, dir) => {
      spawnSync('ln', ['-s', '/dev/full', join(dir, 'log')])
      const one = start(['sh', '-c', 'echo a; echo b; echo c; sleep 100'])
      await one.line.next('started')
      await until('dropped', async () => JSON.stringify(await one.line.state()).includes('"lines":0,"dropped":3'))
      one.line.send('stop 15 1000')
      t.match(await one.line.next('exit'), { signal: 'SIGTERM' })
    },
    onlyLinux('writes to /dev/full'),
  )

  keeperTest(t, variant, 'a limit on file sizes leaves only whole entries', async (t, start) => {
    const through = ['sh', '-c', 'ulimit -f 8; exec "$@"', 'sh']
    const one = start(['sh', '-c', `${testProgram} lines 1000; sleep 100`], { through })
    await one.line.next('started')
    await until('counted', async () => {
      const found = /"log":{"lines":(\d+),"dropped":(\d+)}/.exec(JSON.stringify(await one.line.state()))
      const [lines, dropped] = [Number(found?.[1]), Number(found?.[2])]
      return lines + dropped === 1000 && dropped > 0 && one.entries.length === lines
    })
    t.ok(one.log.endsWith('.\n'))
  })

  keeperTest(t, variant, 'completes a torn entry of a killed keeper before new ones', async (t, start, dir) => {
    writeFileSync(join(dir, 'log'), '2026-01-01T00:00:00.000000Z stdout F torn')
    const one = start(['echo', 'new'])
    await one.line.next('exit')
    t.strictSame(
      one.entries.map(([, , text]) => text),
      ['torn', 'new'],
    )
  })

  keeperTest(t, variant, 'recreates a removed log', async (t, start) => {
    const one = start([testProgram, 'steps', 'one\n', 'two\n', 'three\n'])
    await one.logged('one')
    rmSync(one.logPath)
    one.line.send('poke')
    await one.line.state()
    one.line.send(next)
    await one.logged('two')
    t.notMatch(one.log, 'one')
  })

  keeperTest(t, variant, 'recreates a log with its removed folders at the next write', async (t, start, dir) => {
    const path = join(dir, 'logs', 'shop', 'web', 'log')
    mkdirSync(dirname(path), { recursive: true })
    const one = start([testProgram, 'steps', 'one\n', 'two\n', 'three\n'], { log: path })
    await one.logged('one')
    await pause(lookMs)
    rmSync(join(dir, 'logs'), { recursive: true })
    one.line.send(next)
    await until('two', () => one.log.includes('two'))
    t.equal(statSync(path).mode & 0o777, 0o600)
    t.equal(statSync(dirname(path)).mode & 0o777, 0o700)
    // Four levels are more than it makes: the whole data folder was removed.
    await pause(lookMs)
    rmSync(dir, { recursive: true })
    one.line.send(next)
    await one.line.next('exit')
    t.notOk(existsSync(dir))
  })

  keeperTest(t, variant, 'leaves a renamed log alone and starts a new one', async (t, start, dir) => {
    const one = start([testProgram, 'steps', 'one\n', 'two\n', 'three\n'])
    await one.logged('one')
    await pause(lookMs)
    renameSync(one.logPath, join(dir, 'log-20260101'))
    one.line.send(next)
    await until('two', () => one.log.includes('two'))
    t.notMatch(one.log, 'one')
    t.notMatch(readFileSync(join(dir, 'log-20260101'), 'utf8'), 'two')
    // What cannot be opened is no log: the one there was goes on.
    await pause(lookMs)
    renameSync(one.logPath, join(dir, 'log.1'))
    mkdirSync(one.logPath)
    one.line.send(next)
    await one.line.next('exit')
    t.match(readFileSync(join(dir, 'log.1'), 'utf8'), 'three')
  })

  keeperTest(t, variant, 'answers a poke once, and at once after an unreported write', async (t, start) => {
    const one = start([testProgram, 'steps', 'ready\n', 'one\n', 'two\n', 'three\n'])
    await until('ready', () => one.log.includes('ready'))
    one.line.send('poke')
    await one.line.next('log')
    one.line.send('poke')
    one.line.send('poke')
    await one.line.state()
    t.notOk(one.line.events.some(({ event }) => event === 'log'))
    one.line.send(next)
    await one.line.next('log')
    one.line.send(next)
    await until('two', () => one.log.includes('two'))
    await one.line.state()
    t.notOk(one.line.events.some(({ event }) => event === 'log'))
    one.line.send('poke')
    await one.line.next('log')
  })
}
