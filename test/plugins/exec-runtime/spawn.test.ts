import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { LogSink, Processes, ProcessSpec, ProcessTable } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { readLogs } from '../../../kernel/logs/merge.ts'
import { KeeperProcesses } from '../../../plugins/exec-runtime/processes.ts'
import { cleanEnvironment, isAlive } from '../../lib/keeper.ts'
import { onlyLinux, setsid } from '../../lib/machine.ts'
import { until } from '../../lib/running.ts'
import { darwin, keeperFor, limited, listen, native, ofMac, Rig, stop, tables, testProgram } from './harness.ts'

function testSpawn(t: Test, table: ProcessTable) {
  t.test('runs a program with its folder and environment; reports output by stream and exit', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn('pwd; echo "$GREETING" >&2; exit 3', { env: cleanEnvironment({ GREETING: 'hé' }) })
    t.strictSame(await limited(instance.exited, 'exit'), { code: 3, signal: null })
    t.strictSame([...(await rig.lines())].sort(), [rig.dir, 'hé'].sort())
    t.notOk(isAlive(instance.pid ?? 0))
  })

  t.test('gives a terminal on request', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${testProgram} isatty`, { tty: true })
    await limited(instance.exited, 'exit')
    t.strictSame(await rig.lines(), ['111'])
    const { TERM: _, ...env } = cleanEnvironment()
    const login = new Rig(t, table)
    await limited((await login.spawn('echo $TERM', { tty: true, env })).exited, 'exit')
    t.strictSame(await login.lines(), ['xterm-256color'], 'which has a name, though a daemon at login has none')
  })

  t.test('signals only a main process that stops its children itself', async t => {
    const rig = new Rig(t, table)
    const script = `trap '' TERM; ${setsid} sh -c 'trap "echo asked" TERM; echo up; while :; do sleep 0.02; done'`
    const instance = await rig.spawn(script, { stopsChildren: true })
    await rig.printed(/up/)
    await limited(instance.stop({ signal: 'SIGTERM', graceMs: 100 }), 'stop')
    t.strictSame(await rig.lines(), ['up', 'did not exit within 0.1 s of SIGTERM and was killed'])
  })

  t.test('reports why a start failed, without the environment', async t => {
    const rig = new Rig(t, table)
    const failure = (script: string, more: Partial<ProcessSpec> & { processes?: Processes }) =>
      rig.spawn(script, more).then(
        () => undefined,
        (error: unknown) => LocaldError.from(error),
      )
    t.match(await failure('', { argv: ['/no/such/program'] }), { code: 'SPAWN_FAILED', message: /exec: No such file/ })
    const secret = await failure('true', { env: { TOKEN: 's3cret\0' } })
    t.match(secret, { code: 'SPAWN_FAILED', service: 'shop:web' })
    t.notMatch(JSON.stringify(secret), 's3cret')
    const big = { env: { BIG: 'x'.repeat(3_000_000) } }
    t.match(await failure('true', big), {
      code: 'SPAWN_FAILED',
      message: /Argument list too long/,
      hint: /variable is BIG, of \d+ bytes/,
    })
    rmSync(join(rig.dir, 'logs'), { recursive: true })
    mkdirSync(join(rig.dir, 'logs', 'log'), { recursive: true })
    t.match(await failure('true', {}), { message: /log: Is a directory/ })
    const missing = new KeeperProcesses({
      keeper: join(rig.dir, 'nothing'),
      folders: { data: rig.dir, config: rig.dir, runtime: rig.dir, sockets: rig.dir, native },
      table: () => table,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    })
    t.match(await failure('true', { processes: missing }), { message: /nothing is missing; run `npm rebuild locald`/ })
    if (ofMac === undefined) return
    const full = new KeeperProcesses({
      keeper: keeperFor(darwin),
      folders: { data: rig.dir, config: rig.dir, runtime: rig.dir, sockets: rig.dir, native },
      table: () => table,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    })
    rmSync(join(rig.dir, 'logs'), { recursive: true })
    t.match(await failure('true', { tty: true, env: { XNU_NO_TERMINALS: '1' }, processes: full }), {
      code: 'SPAWN_FAILED',
      message: /no terminal is free \(No such device or address\)$/,
      hint: /`tty = false`.*kern\.tty\.ptmx_max/,
    })
  })

  t.test('kills a started service when the process table fails', async t => {
    const rig = new Rig(t, table)
    const folders = { data: rig.dir, config: rig.dir, runtime: rig.dir, sockets: rig.dir, native }
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const pidFile = join(rig.dir, 'pid')
    // As `ps` fails where the user may have no more processes.
    const start = async () => {
      await until('its pid', () => existsSync(pidFile))
      throw new Error("'ps' failed: spawn EAGAIN")
    }
    const blind: ProcessTable = Object.assign(Object.create(table), { start })
    const processes = new KeeperProcesses({ keeper: keeperFor(table), folders, table: () => blind, log })
    const script = `trap '' TERM; echo $$ >${pidFile}.new; mv ${pidFile}.new ${pidFile}; while :; do sleep 1000; done`
    await t.rejects(rig.spawn(script, { processes }), { message: /EAGAIN/ })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })

  t.test('retries a start when its folder is deleted before the bind', async t => {
    const rig = new Rig(t, table)
    const { file, maxBytes, maxFiles } = rig.log
    let left = 4
    const log: LogSink = {
      ...{ maxBytes, maxFiles, write: () => {}, changed: () => {}, onFollowed: () => () => {} },
      ...{ append: () => true, lastEntry: async () => undefined },
      // Asked for before and after the folder is made.
      get file() {
        if (left-- > 0) rmSync(join(rig.dir, 'k'), { recursive: true, force: true })
        return file
      },
    }
    const instance = await rig.spawn('exec sleep 1000', { log })
    await limited(instance.stop(stop), 'stop')
  })

  t.test('fails while the runtime folder cannot be created, then recovers', async t => {
    const rig = new Rig(t, table)
    const [removed, next] = [join(rig.dir, 'deleted'), join(rig.dir, 'next')]
    const folders = { data: rig.dir, config: rig.dir, runtime: removed, sockets: removed, native }
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const keeper = keeperFor(table)
    const processes = new KeeperProcesses({ keeper, folders, table: () => table, log })
    const first = await rig.spawn('exec sleep 1000', { processes })
    rmSync(removed, { recursive: true })
    writeFileSync(removed, '')
    folders.runtime = next
    const second = await rig.spawn('exec sleep 1000', { processes })
    t.match(second.state, { socket: new RegExp(`^${next}/k/`) })
    for (const instance of [first, second]) await limited(instance.stop(stop), 'stop')
  })

  t.test('receives READY=1, however early it is sent', async t => {
    const rig = new Rig(t, table)
    for (let round = 0; round < 5; round++) {
      const instance = await rig.spawn(`${testProgram} notify 'READY=1\nSTATUS=at once'; exec sleep 1000`)
      t.match(await listen(instance).next('notify'), { ready: true, status: 'at once' })
      await instance.stop(stop)
    }
  })

  t.test('runs twenty at once, each with its own exit', async t => {
    const rig = new Rig(t, table)
    const codes = Array.from({ length: 20 }, (_, code) => code)
    const exits = await Promise.all(codes.map(async code => (await rig.spawn(`exit ${code}`)).exited))
    t.strictSame(
      exits.map(({ code }) => code),
      codes,
    )
  })

  t.test('keeps one exit record for each service', async t => {
    const rig = new Rig(t, table)
    const processes = rig.processes()
    for (let round = 0; round < 4; round++) await (await rig.spawn('true', { processes })).exited
    await until('one record', () => rig.files().length === 1)
  })

  t.test('followers of a rotating log read each line once, in order', async t => {
    const rig = new Rig(t, table)
    const count = 20_000
    // 2 MB in some 70 files, all kept.
    const log: LogSink = {
      file: rig.log.file,
      maxBytes: 30_000,
      maxFiles: 999,
      write: (stream, text) => rig.log.write(stream, text),
      append: entries => rig.log.append(entries),
      lastEntry: stream => rig.log.lastEntry(stream),
      changed: () => rig.log.changed(),
      onFollowed: listener => rig.log.onFollowed(listener),
    }
    const read = async (follow: boolean) => {
      const numbers: number[] = []
      const abort = new AbortController()
      for await (const batch of readLogs({ sources: [{ service: 'a', log: rig.log }], follow, signal: abort.signal })) {
        for (const { text } of batch) numbers.push(Number(text.split(' ')[0]))
        if (numbers.length >= count) abort.abort()
      }
      return numbers
    }
    const followers = [read(true), read(true)]
    const instance = await rig.spawn(`exec ${testProgram} lines ${count}`, { log })
    const exits = instance.exited.then(() => true)
    const isOrdered = (numbers: readonly number[]) => numbers.every((number, index) => number === index)
    let rounds = 0
    do {
      rounds++
      const numbers = await limited(read(false), 'a reader')
      if (!isOrdered(numbers)) t.fail(`${numbers.length} lines, not in order`)
    } while (!(await Promise.race([exits, Promise.resolve(false)])))
    for (const follower of followers) {
      const numbers = await limited(follower, 'a follower')
      t.equal(numbers.length, count)
      t.ok(isOrdered(numbers))
    }
    t.equal((await read(false)).length, count)
    t.comment(`${rounds} readers meanwhile, ${readdirSync(dirname(rig.log.file)).length} files`)
  })

  t.test('notifies followers of every write', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; exec sleep 1000`)
    await rig.printed(/line 299/)
    t.strictSame(
      await rig.lines(),
      Array.from({ length: 300 }, (_, index) => `line ${index}`),
    )
    await instance.stop(stop)
  })
}

for (const [name, table] of tables) {
  t.test(name, { skip: table === false && onlyLinux('looks into /proc') }, async t => {
    if (table !== false) testSpawn(t, table)
  })
}
