import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type {
  Check,
  Instance,
  InstanceEvent,
  LogSink,
  Processes,
  ProcessSpec,
  ProcessTable,
  ProjectSource,
  Run,
  Services,
  ServiceType,
} from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import { readLogs } from '../../../kernel/logs/merge.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { setAwakeTimeout } from '../../../plugins/exec-runtime/awake-timer.ts'
import plugin from '../../../plugins/exec-runtime/index.ts'
import { KeeperConnection } from '../../../plugins/exec-runtime/keeper-connection.ts'
import { recoverProcess } from '../../../plugins/exec-runtime/keeper-recovery.ts'
import { KeeperStarter } from '../../../plugins/exec-runtime/keeper-starter.ts'
import { packageManagerOf } from '../../../plugins/exec-runtime/package-manager.ts'
import { KeeperProcesses } from '../../../plugins/exec-runtime/processes.ts'
import { packageJson, procfile } from '../../../plugins/exec-runtime/project-sources.ts'
import { shellCommand } from '../../../plugins/exec-runtime/shell-command.ts'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'

import { fakeHost } from '../../lib/fake-host.ts'
import { buildTestProgram, cleanEnvironment, isAlive, makeFolder, removeFolder, until } from '../../lib/keeper.ts'

import { onlyLinux, setsid } from '../../lib/machine.ts'
import { nativeOfMac } from '../../lib/native.ts'
import { root } from '../../lib/user.ts'

const native = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'native')
const ofMac = nativeOfMac()
const tools = makeFolder()
const testProgram = buildTestProgram(tools)
t.teardown(() => removeFolder(tools))

// Keepers hold no daemon back from its end: nor would they this test.
const hold = setInterval(() => {}, 60_000)
t.teardown(() => clearInterval(hold))

/** A daemon of its own session with an empty environment; its pid is printed. */
const daemon = `env -i ${setsid} sh -c 'echo daemon $$; exec sleep 1000' &`

/** One daemon's processes, in a folder of a subtest; what is left of them is ended with it. */
class Rig {
  readonly dir = makeFolder()
  readonly table: ProcessTable
  readonly said: string[] = []
  readonly log: ServiceLog
  readonly #instances: Instance[] = []

  constructor(t: Test, table: ProcessTable) {
    this.table = table
    this.log = new ServiceLog(join(this.dir, 'logs'))
    t.teardown(async () => {
      await Promise.all(this.#instances.map(instance => instance.stop({ signal: 'SIGKILL', graceMs: 0 })))
      removeFolder(this.dir)
    })
  }

  /** A daemon's view; a later one gets the same folder. */
  processes(): KeeperProcesses {
    const say = (text: string) => this.said.push(text)
    return new KeeperProcesses({
      keeper: keeperFor(this.table),
      folders: { data: this.dir, config: this.dir, runtime: this.dir, sockets: this.dir, native },
      table: () => this.table,
      log: { info: say, warn: say, error: say },
    })
  }

  keep<T extends Instance | undefined>(instance: T): T {
    if (instance !== undefined) this.#instances.push(instance)
    return instance
  }

  async spawn(script: string, more: Partial<ProcessSpec> & { processes?: Processes } = {}): Promise<Instance> {
    const { processes = this.processes(), ...spec } = more
    return this.keep(
      await processes.spawn({
        key: 'shop:web',
        argv: ['/bin/sh', '-c', script],
        dir: this.dir,
        env: cleanEnvironment(),
        tty: false,
        log: this.log,
        port: undefined,
        stopSignal: 'SIGTERM',
        stopTimeout: 30 * 24 * 60 * 60 * 1000,
        ...spec,
      }),
    )
  }

  /** As `adopt` of a daemon that has read the state from disk. */
  async adopt(state: unknown, processes: Processes = this.processes()): Promise<Instance | undefined> {
    return this.keep(await processes.adopt(JSON.parse(JSON.stringify(state)), this.log))
  }

  async lines(): Promise<readonly string[]> {
    const cursor = new LogCursor(this.log.file)
    const lines = await cursor.last(1000)
    await cursor.close()
    return lines.map(({ text }) => text)
  }

  /** Waits until it was printed; woken by the driver, so that is tested everywhere. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      let wake: () => void = () => {}
      const changed = new Promise<void>(resolve => {
        wake = resolve
      })
      const off = this.log.watch(wake)
      try {
        const found = pattern.exec((await this.lines()).join('\n'))
        if (found !== null) return found
        await limited(changed, `${pattern}: ${JSON.stringify(await this.lines())}`)
      } finally {
        off()
      }
    }
  }

  async pid(word: string): Promise<number> {
    return Number((await this.printed(new RegExp(`${word} (\\d+)`)))[1])
  }

  /** What keepers have left. */
  files(): readonly string[] {
    return ['k', 'exits'].flatMap(name => readdirSync(join(this.dir, name)))
  }
}

function limited<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), 20_000)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Collects an instance's events. */
function listen(instance: Instance): { readonly all: InstanceEvent[]; next(name: string): Promise<InstanceEvent> } {
  const all: InstanceEvent[] = []
  let wake: () => void = () => {}
  instance.on?.(event => {
    all.push(event)
    wake()
  })
  return {
    all,
    async next(name) {
      for (;;) {
        const found = all.find(({ event }) => event === name)
        if (found !== undefined) return found
        await limited(
          new Promise<void>(resolve => {
            wake = resolve
          }),
          name,
        )
      }
    },
  }
}

const stop = { signal: 'SIGTERM', graceMs: 5000 }

const linux = process.platform === 'linux' && new LinuxProcessTable(process.getuid?.() ?? 0)
const darwin = new DarwinProcessTable(new Tools(process.env['PATH']))

/** A table that does some things in another way. */
function but(table: ProcessTable, other: Partial<ProcessTable>): ProcessTable {
  return {
    orphansReturn: table.orphansReturn,
    start: pid => table.start(pid),
    members: tree => table.members(tree),
    usage: trees => table.usage(trees),
    listeners: pids => table.listeners(pids),
    holder: port => table.holder(port),
    owns: port => table.owns(port),
    isStrangers: (place, tree) => table.isStrangers(place, tree),
    sweep: (tree, seen) => table.sweep(tree, seen),
    ...other,
  }
}

/** The keeper that belongs to a table. */
function keeperFor(table: ProcessTable): string {
  return join(table === darwin && ofMac !== undefined ? join(root, ofMac) : native, 'locald-keeper')
}

for (const [name, table] of [
  ['linux', linux],
  ['darwin', darwin],
] as const) {
  t.test(name, { skip: table === false && onlyLinux('looks into /proc') }, async t => {
    if (table === false) return
    lives(t, table)
    ends(t, table)
    adopts(t, table)
    if (table.orphansReturn) wholeTrees(t, table)
    else seenOnly(t, table)
  })
}

t.test('variables of the dynamic linker reach a command, though /bin/sh loses them on macOS', async t => {
  const [name, value] = ['DYLD_FALLBACK_LIBRARY_PATH', '/opt/homebrew/lib; "$HOME"']
  const { argv, env } = shellCommand('printenv', { ...cleanEnvironment(), [name]: value })
  t.notMatch(argv.join(' '), 'homebrew', 'as no words')
  // Without it, as /bin/sh starts there.
  const { [name]: _, ...left } = env
  const [shell, ...words] = argv
  const lines = execFileSync(shell, words, { env: left, encoding: 'utf8' }).split('\n')
  t.strictSame(
    lines.filter(line => line.includes('DYLD_')),
    [`${name}=${value}`],
  )
  t.strictSame(shellCommand('true', { PATH: '/bin' }), { argv: ['/bin/sh', '-c', 'true'], env: { PATH: '/bin' } })
})

function lives(t: Test, table: ProcessTable) {
  t.test('a program: its exit, its output by stream, its folder and environment', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn('pwd; echo "$GREETING" >&2; exit 3', { env: cleanEnvironment({ GREETING: 'hé' }) })
    t.strictSame(await limited(instance.exited, 'exit'), { code: 3, signal: null })
    t.strictSame([...(await rig.lines())].sort(), [rig.dir, 'hé'].sort())
    t.notOk(isAlive(instance.pid ?? 0))
  })

  t.test('a terminal when it is asked for', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${testProgram} isatty`, { tty: true })
    await limited(instance.exited, 'exit')
    t.strictSame(await rig.lines(), ['111'])
    const { TERM: _, ...env } = cleanEnvironment()
    const login = new Rig(t, table)
    await limited((await login.spawn('echo $TERM', { tty: true, env })).exited, 'exit')
    t.strictSame(await login.lines(), ['xterm-256color'], 'which has a name, though a daemon at login has none')
  })

  t.test('a main process that stops its children itself is all that is asked to stop', async t => {
    const rig = new Rig(t, table)
    const script = `trap '' TERM; ${setsid} sh -c 'trap "echo asked" TERM; echo up; while :; do sleep 0.02; done'`
    const instance = await rig.spawn(script, { stopsChildren: true })
    await rig.printed(/up/)
    await limited(instance.stop({ signal: 'SIGTERM', graceMs: 100 }), 'stop')
    t.strictSame(await rig.lines(), ['up', 'did not exit within 0.1 s of SIGTERM and was killed'])
  })

  t.test('what cannot be started says why, without its environment', async t => {
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

  t.test('a service that cannot be looked at after its start does not run on unknown', async t => {
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

  t.test('a folder that is removed right before a socket is made in it loses no start', async t => {
    const rig = new Rig(t, table)
    const { file, maxBytes, maxFiles } = rig.log
    let left = 4
    const log: LogSink = {
      ...{ maxBytes, maxFiles, write: () => {}, changed: () => {}, onFollowed: () => () => {} },
      // Asked for before and after the folder is made.
      get file() {
        if (left-- > 0) rmSync(join(rig.dir, 'k'), { recursive: true, force: true })
        return file
      },
    }
    const instance = await rig.spawn('exec sleep 1000', { log })
    await limited(instance.stop(stop), 'stop')
  })

  t.test('a runtime folder that is gone and cannot be made again is replaced by the next one', async t => {
    const rig = new Rig(t, table)
    const [gone, next] = [join(rig.dir, 'gone'), join(rig.dir, 'next')]
    const folders = { data: rig.dir, config: rig.dir, runtime: gone, sockets: gone, native }
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const keeper = keeperFor(table)
    const processes = new KeeperProcesses({ keeper, folders, table: () => table, log })
    const first = await rig.spawn('exec sleep 1000', { processes })
    rmSync(gone, { recursive: true })
    writeFileSync(gone, '')
    folders.runtime = next
    const second = await rig.spawn('exec sleep 1000', { processes })
    t.match(second.state, { socket: new RegExp(`^${next}/k/`) })
    for (const instance of [first, second]) await limited(instance.stop(stop), 'stop')
  })

  t.test('ready is heard, however early it is said', async t => {
    const rig = new Rig(t, table)
    for (let round = 0; round < 5; round++) {
      const instance = await rig.spawn(`${testProgram} notify 'READY=1\nSTATUS=at once'; exec sleep 1000`)
      t.match(await listen(instance).next('notify'), { ready: true, status: 'at once' })
      await instance.stop(stop)
    }
  })

  t.test('twenty at once, each with its own end', async t => {
    const rig = new Rig(t, table)
    const codes = Array.from({ length: 20 }, (_, code) => code)
    const exits = await Promise.all(codes.map(async code => (await rig.spawn(`exit ${code}`)).exited))
    t.strictSame(
      exits.map(({ code }) => code),
      codes,
    )
  })

  t.test('ended ones leave one record for each service', async t => {
    const rig = new Rig(t, table)
    const processes = rig.processes()
    for (let round = 0; round < 4; round++) await (await rig.spawn('true', { processes })).exited
    await until('one record', () => rig.files().length === 1)
  })

  t.test('readers of a log that rotates all the time: each line once and in order', async t => {
    const rig = new Rig(t, table)
    const count = 20_000
    // 2 MB in some 70 files, all kept.
    const log: LogSink = {
      file: rig.log.file,
      maxBytes: 30_000,
      maxFiles: 999,
      write: (stream, text) => rig.log.write(stream, text),
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
    const ended = instance.exited.then(() => true)
    const isOrdered = (numbers: readonly number[]) => numbers.every((number, index) => number === index)
    let rounds = 0
    do {
      rounds++
      const numbers = await limited(read(false), 'a reader')
      if (!isOrdered(numbers)) t.fail(`${numbers.length} lines, not in order`)
    } while (!(await Promise.race([ended, Promise.resolve(false)])))
    for (const follower of followers) {
      const numbers = await limited(follower, 'a follower')
      t.equal(numbers.length, count)
      t.ok(isOrdered(numbers))
    }
    t.equal((await read(false)).length, count)
    t.comment(`${rounds} readers meanwhile, ${readdirSync(dirname(rig.log.file)).length} files`)
  })

  t.test('who reads along is told of every write', async t => {
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

function ends(t: Test, table: ProcessTable) {
  t.test('stop: its signal, then the end of all of it after the grace', async t => {
    const rig = new Rig(t, table)
    const polite = await rig.spawn('trap "echo bye; exit 7" INT; echo up; while :; do sleep 0.02; done')
    await rig.printed(/up/)
    await limited(polite.stop({ signal: 'SIGINT', graceMs: 10_000 }), 'polite')
    t.strictSame(await polite.exited, { code: 7, signal: null })
    t.notMatch((await rig.lines()).join('\n'), /killed/)
    const deaf = await rig.spawn(`exec ${testProgram} stubborn 0`)
    await rig.printed(/deep/)
    await limited(Promise.all([deaf.stop({ signal: 'SIGTERM', graceMs: 100 }), deaf.stop(stop)]), 'deaf')
    t.strictSame(await deaf.exited, { code: null, signal: 'SIGKILL' })
    t.notOk(isAlive(deaf.pid ?? 0))
    t.strictSame(
      (await rig.lines()).filter(line => line.includes('killed')),
      ['did not exit within 0.1 s of SIGTERM and was killed'],
    )
  })

  t.test('stop of what has ended does nothing', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn('true')
    await limited(instance.exited, 'exit')
    await limited(instance.stop(stop), 'stop')
    t.pass()
  })

  t.test('a main process that ends well and leaves others: told, and ended when asked', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`sh -c 'echo left $$; exec sleep 1000' & sleep 0.1; exit 0`)
    const left = await rig.pid('left')
    t.match(await listen(instance).next('main'), { exit: { code: 0 }, left: 1 })
    instance.finish?.()
    t.strictSame(await limited(instance.exited, 'exit'), { code: 0, signal: null })
    t.notOk(isAlive(left))
  })

  t.test('kill -9 of the keeper: its end is noticed, and what it held is ended', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`sh -c 'echo child $$; exec sleep 1000' & echo up; wait`)
    const child = await rig.pid('child')
    process.kill(instance.tree?.keeper ?? 0, 'SIGKILL')
    t.strictSame(await limited(instance.exited, 'exit'), { code: null, signal: 'SIGKILL' })
    t.notOk(isAlive(instance.pid ?? 0) || isAlive(child))
    await limited(instance.stop(stop), 'stop')
    t.match((await rig.lines()).at(-1), 'keeper was killed')
  })
}

function adopts(t: Test, table: ProcessTable) {
  t.test('a later daemon finds it again: same process, what happened before, its log, its end', async t => {
    const rig = new Rig(t, table)
    const script = `${testProgram} notify READY=1; sh -c 'trap "" HUP; echo left $$; exec sleep 1000' & echo one; sleep 0.1; exit 0`
    const first = await rig.spawn(script)
    await listen(first).next('main')
    const left = await rig.pid('left')
    const found = await rig.adopt(first.state)
    t.equal(found?.pid, first.pid)
    t.equal(found?.startedMs, first.startedMs)
    if (found === undefined) return
    const events = listen(found)
    t.match(await events.next('notify'), { ready: true })
    t.match(await events.next('main'), { exit: { code: 0 }, left: 1 })
    await limited(found.stop(stop), 'stop')
    t.strictSame(await found.exited, await first.exited)
    t.notOk(isAlive(left))
  })

  t.test('one that ended while no daemon was there tells how', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('exit 4')
    await first.exited
    const found = await rig.adopt(first.state)
    t.strictSame(await found?.exited, { code: 4, signal: null })
    rmSync(join(rig.dir, 'k'), { recursive: true })
    const emptied = await rig.adopt(first.state)
    t.strictSame(await emptied?.exited, { code: 4, signal: null }, 'also with the runtime folder emptied')
    rmSync(join(rig.dir, 'exits'), { recursive: true })
    const lost = await rig.adopt(first.state)
    t.strictSame(await lost?.exited, { code: null, signal: 'SIGKILL' }, 'no keeper, no record')
  })

  t.test('one whose keeper was killed meanwhile is swept', async t => {
    const rig = new Rig(t, table)
    const holder = spawn(process.execPath, ['-e', spawnLater(rig, table)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: cleanEnvironment(),
    })
    const state: unknown = JSON.parse(await firstLine(holder))
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const { tree } = treeOf(state)
    t.ok(isAlive(tree.pid), 'it outlives the daemon')
    process.kill(tree.keeper, 'SIGKILL')
    await until('keeper gone', () => !isAlive(tree.keeper))
    const found = await rig.adopt(state)
    t.strictSame(await limited(found?.exited ?? Promise.reject(new Error('none')), 'end'), {
      code: null,
      signal: 'SIGKILL',
    })
    t.notOk(isAlive(tree.pid))
  })

  t.test('a pid that came round is not touched', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('exit 0')
    await first.exited
    for (const name of ['k', 'exits']) {
      rmSync(join(rig.dir, name), { recursive: true })
      mkdirSync(join(rig.dir, name))
    }
    const stranger = spawn('sleep', ['1000'], { detached: true })
    t.teardown(() => stranger.kill('SIGKILL'))
    const pid = stranger.pid ?? 0
    const { state } = { state: JSON.parse(JSON.stringify(first.state)) }
    // Started long before the stranger, as far as its tokens tell: its real ones may be of the same tick of the clock.
    const { keeper, main } = state.tree.starts
    const starts = { keeper: `earlier than ${keeper}`, main: `earlier than ${main}` }
    Object.assign(state.tree, { pid, pgid: pid, keeper: pid, startedMs: Date.now() - 60_000, starts })
    const found = await rig.adopt(state)
    t.match(await limited(found?.exited ?? Promise.reject(new Error('none')), 'end'), { signal: 'SIGKILL' })
    t.ok(isAlive(pid))
  })

  t.test('one whose sockets were removed is asked to bind them again, and runs on', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('echo up; exec sleep 1000')
    rmSync(join(rig.dir, 'k'), { recursive: true })
    const found = await rig.adopt(first.state)
    if (found === undefined) throw new Error('not found')
    const { socket } = treeOf(first.state)
    await until('its socket', () => existsSync(socket))
    t.ok(isAlive(first.pid ?? 0))
    await limited(found.stop(stop), 'stop')
    t.match(await found.exited, { signal: 'SIGTERM' })
  })

  t.test('a table of processes that gives no answer does not mean that a keeper is gone', async t => {
    let failures = 3
    const rig = new Rig(
      t,
      but(table, {
        start: pid => {
          failures -= 1
          return failures >= 0 ? Promise.reject(new Error('ps gave no answer')) : table.start(pid)
        },
      }),
    )
    failures = 0
    const first = await rig.spawn('echo up; exec sleep 1000')
    const { socket } = treeOf(first.state)
    renameSync(socket, `${socket}.away`)
    failures = 3
    const found = await rig.adopt(first.state)
    await until('three looks', () => failures < 0)
    t.ok(isAlive(first.pid ?? 0))
    if (!existsSync(socket)) renameSync(`${socket}.away`, socket)
    await limited(found?.stop(stop) ?? Promise.reject(new Error('not found')), 'stop')
    t.match(await found?.exited, { signal: 'SIGTERM' })
  })

  t.test('what holds its port is ended with it only where this daemon has seen its end', async t => {
    const ports: (number | undefined)[] = []
    const rig = new Rig(
      t,
      but(table, {
        sweep: async tree => {
          ports.push(tree.port)
          return 0
        },
      }),
    )
    const first = await rig.spawn('exec sleep 1000', { port: 5432 })
    process.kill(treeOf(first.state).tree.keeper, 'SIGKILL')
    await first.exited
    t.strictSame(ports.splice(0), [5432])
    await (await rig.adopt(first.state))?.exited
    t.strictSame(ports, [undefined], 'a database that was started since')
    process.kill(first.pid ?? 0, 'SIGKILL')
  })

  t.test('sockets that are removed are bound again at once, each time; nothing of it ends', async t => {
    const rig = new Rig(t, table)
    const processes = rig.processes()
    const first = await rig.spawn('echo up; exec sleep 1000', { processes })
    const { socket } = treeOf(first.state)
    const notify = socket.replace(/s$/, 'n')
    const removals: (() => void)[] = [
      () => rmSync(socket),
      () => rmSync(notify),
      () => rmSync(dirname(socket), { recursive: true }),
      () => rmSync(socket),
    ]
    for (const remove of removals) {
      await until('the sockets', () => existsSync(socket) && existsSync(notify))
      remove()
      await until('the sockets again', () => existsSync(socket) && existsSync(notify))
    }
    const second = await rig.spawn('exec sleep 1000', { processes })
    t.ok(isAlive(second.pid ?? 0), 'others are started')
    t.ok(isAlive(first.pid ?? 0))
  })

  t.test('sockets look used after a look at them', async t => {
    const rig = new Rig(t, table)
    const processes = rig.processes()
    const { socket } = treeOf((await rig.spawn('exec sleep 1000', { processes })).state)
    const old = new Date('2020-01-01')
    utimesSync(socket, old, old)
    await processes.restore()
    t.ok(statSync(socket).mtimeMs > old.getTime())
  })

  t.test('what another version recorded of it is enough to find it: its keeper knows the rest', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn('echo up; exec sleep 1000')
    const found = await rig.adopt({ socket: treeOf(first.state).socket, shape: 'another' })
    t.match(found, { pid: first.pid, tree: { keeper: first.tree?.keeper, pid: first.pid } })
    await limited(found?.stop(stop) ?? Promise.reject(new Error('none')), 'stop')
    t.strictSame(await found?.exited, await first.exited)
  })

  t.test('nonsense is no state', async t => {
    const rig = new Rig(t, table)
    for (const state of [null, {}, { socket: 1 }, { socket: 's', exitFile: 'x', tree: {} }])
      t.equal(await rig.adopt(state), undefined)
  })

  t.test('a connection that is lost is made again; what was asked meanwhile is done', async t => {
    const rig = new Rig(t, table)
    const first = await rig.spawn(`${testProgram} notify READY=1; echo up; exec sleep 1000`)
    await rig.printed(/up/)
    const { socket } = treeOf(first.state)
    const between = await Between.open(t, socket, join(rig.dir, 'between'))
    const found = await rig.adopt({ ...treeOf(first.state), socket: between.path })
    if (found === undefined) throw new Error('not found')
    const events = listen(found)
    await events.next('notify')
    between.isOpen = false
    between.cut()
    const stopped = found.stop(stop)
    await between.refused
    between.isOpen = true
    await limited(stopped, 'stop')
    t.strictSame(await found.exited, { code: null, signal: 'SIGTERM' })
    t.equal(events.all.filter(({ event }) => event === 'notify').length, 1, 'nothing is told twice')
  })

  t.test('an unknown keeper is ended, what ended ones left is removed, known ones are left alone', async t => {
    const rig = new Rig(t, table)
    const first = rig.processes()
    const [lost, kept, spared, ended] = [
      await rig.spawn('echo lost; exec sleep 1000', { processes: first, key: 'a:a' }),
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:b' }),
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:d' }),
      await rig.spawn('true', { processes: first, key: 'a:c' }),
    ]
    await ended.exited
    const later = rig.processes()
    const found = await rig.adopt(kept.state, later)
    writeFileSync(join(rig.dir, 'k', 'abcdefabcdef.s'), '')
    await later.tidy([JSON.stringify({ version: 9, at: treeOf(spared.state).socket })])
    t.match(await limited(lost.exited, 'lost'), { signal: 'SIGTERM' })
    t.ok(isAlive(found?.pid ?? 0))
    t.ok(isAlive(spared.pid ?? 0), 'one that a record of another version names runs on')
    t.notOk(existsSync(join(rig.dir, 'k', 'abcdefabcdef.s')))
    t.notOk(existsSync(treeOf(ended.state).exitFile))
    t.match(rig.said.join('\n'), 'an unknown service')
  })

  t.test('an unknown keeper is ended although its sockets were removed', async t => {
    const rig = new Rig(t, table)
    const first = rig.processes()
    const [lost, killed] = [
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:a' }),
      await rig.spawn('exec sleep 1000', { processes: first, key: 'a:b' }),
    ]
    process.kill(killed.tree?.keeper ?? 0, 'SIGKILL')
    await killed.exited
    for (const name of rig.files()) rmSync(join(rig.dir, 'k', name), { force: true })
    await rig.processes().tidy()
    t.match(await limited(lost.exited, 'lost'), { signal: 'SIGTERM' })
    t.strictSame(rig.files(), [])
  })
}

function wholeTrees(t: Test, table: ProcessTable) {
  t.test('a daemon of its own session with an empty environment is gone after a stop', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${daemon} (${daemon}); echo up; exec sleep 1000`)
    await rig.printed(/daemon \d+[\s\S]*daemon \d+/)
    const pids = [...(await rig.lines()).join('\n').matchAll(/daemon (\d+)/g)].map(found => Number(found[1]))
    t.ok(pids.every(isAlive))
    await limited(instance.stop(stop), 'stop')
    t.notOk(pids.some(isAlive))
  })

  t.test('and after a kill -9 of its keeper', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${daemon} echo up; exec sleep 1000`)
    const pid = await rig.pid('daemon')
    process.kill(instance.tree?.keeper ?? 0, 'SIGKILL')
    await limited(instance.exited, 'exit')
    t.notOk(isAlive(pid) || isAlive(instance.pid ?? 0))
  })

  t.test('one that went to the background is the service until it is stopped', async t => {
    const rig = new Rig(t, table)
    const instance = await rig.spawn(`${daemon} sleep 0.1; exit 0`)
    const pid = await rig.pid('daemon')
    t.match(await listen(instance).next('main'), { left: 1 })
    await limited(instance.stop(stop), 'stop')
    t.notOk(isAlive(pid))
  })
}

/** Where orphans do not return. */
function seenOnly(t: Test, table: ProcessTable) {
  const server = `require('net').createServer().listen(process.argv[1], '127.0.0.1', () => console.log('daemon ' + process.pid))`

  t.test(
    'a daemon of its own session that listens on the port is gone after a stop, and after a kill -9 of the keeper',
    async t => {
      for (const how of ['stop', 'kill']) {
        const rig = new Rig(t, table)
        const port = await freePort()
        const script = `(env -i ${setsid} "$NODE" -e "$SERVER" ${port} &) ; exec sleep 1000`
        const env = cleanEnvironment({ NODE: process.execPath, SERVER: server })
        const instance = await rig.spawn(script, { env, port })
        const pid = await rig.pid('daemon')
        if (how === 'kill') process.kill(instance.tree?.keeper ?? 0, 'SIGKILL')
        else await limited(instance.stop(stop), 'stop')
        await limited(instance.exited, 'exit')
        t.notOk(isAlive(pid), how)
      }
    },
  )
}

t.test("words that are no keeper's end the connection", async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  for (const words of ['not json\n', '{"no":"event"}\n', 'x'.repeat(70_000)]) {
    const path = join(dir, 's')
    const server = createServer(socket => socket.on('error', () => {}).end(`{"event":"a"}\n${words}`))
    await new Promise<void>(resolve => server.listen(path, resolve))
    const connection = await KeeperConnection.open(path)
    t.match(await connection?.next('a'), { event: 'a' }, 'what came before is heard, also by who listens late')
    await limited(connection?.closed ?? Promise.resolve(), 'closed')
    server.close()
  }
  t.equal(await KeeperConnection.open(join(dir, 'nothing')), undefined)
})

t.test('a keeper that does not answer, or that names none, is given up', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const state = { socket: join(dir, 'k.s') }
  for (const words of ['', '{"event":"state"}\n']) {
    let isClosed: Promise<unknown> | undefined
    const server = createServer(socket => {
      isClosed = once(
        socket.on('error', () => {}),
        'close',
      )
      socket.write(words)
      socket.resume()
    })
    await new Promise<void>(resolve => server.listen(state.socket, resolve))
    const table = new LinuxProcessTable(process.getuid?.() ?? 0, join(dir, 'proc'))
    t.equal(await limited(recoverProcess(state, table, 50), 'given up'), undefined)
    await limited(isClosed ?? Promise.reject(new Error('not connected')), 'closed')
    server.close()
  }
})

t.test('hundreds of starts at once: more than a queue of connections holds', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const starter = new KeeperStarter(join(native, 'locald-keeper'), () => join(dir, 'starter.s'))
  const launch = { argv: ['/usr/bin/true'], dir, env: {} }
  const links = await Promise.all(Array.from({ length: 250 }, () => starter.start(launch)))
  t.notOk(links.includes(undefined), 'none is refused')
  await Promise.all(links.map(connection => connection?.closed))
})

t.test('starts side by side while the socket of their starter is removed: none is lost', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const paths: string[] = []
  const starter = new KeeperStarter(join(native, 'locald-keeper'), () => {
    const path = join(dir, `starter-${paths.length}.s`)
    paths.push(path)
    return path
  })
  const launch = { argv: ['/bin/sh', '-c', 'echo \'{"event":"said"}\' >&3'], dir, env: {} }
  const said = async () => (await (await starter.start(launch))?.next('said'))?.event
  t.equal(await said(), 'said')
  for (let round = 0; round < 5; round++) {
    const before = Array.from({ length: 10 }, said)
    rmSync(paths.at(-1) ?? '')
    t.strictSame(new Set(await Promise.all([...before, ...Array.from({ length: 10 }, said)])), new Set(['said']))
  }
})

t.test('projects without a locald.toml', async t => {
  const read = (text: string) => procfile.read(text, '/')
  t.strictSame(read('# all\nweb: npm run dev\n\nWORK_er :  ruby x.rb  \r\n'), {
    web: { type: 'exec', command: 'npm run dev' },
    'work-er': { type: 'worker', command: 'ruby x.rb' },
  })
  t.strictSame(Object.keys(read('constructor: a\ntostring: b\nhasownproperty: c') ?? {}), [
    'constructor',
    'tostring',
    'hasownproperty',
  ])
  t.equal(read('# nothing\n'), undefined)
  t.throws(() => read('web: a\nweb: b'), /line 2 names 'web' again/)
  t.throws(() => read('web: a\nwhat is this'), /line 2 is not/)
  const dir = t.testdir()
  const manifest = (text: string) => packageJson.read(text, dir)
  t.strictSame(manifest('{"scripts":{"start":"b","dev":"a"}}'), { web: { type: 'exec', command: 'npm run dev' } })
  t.strictSame(manifest('{"scripts":{"start":"b"}}'), { web: { type: 'exec', command: 'npm run start' } })
  for (const text of ['{}', '[]', 'null', '{"scripts":[]}', '{"scripts":{"test":"x"}}'])
    t.equal(manifest(text), undefined)
})

t.test('the package manager of a package', async t => {
  const dir = t.testdir({
    pnpm: { 'pnpm-lock.yaml': '', 'package-lock.json': '' },
    yarn: { 'yarn.lock': '' },
    bun: { 'bun.lockb': '' },
    npm: { 'package-lock.json': '' },
    none: {},
    repo: {
      '.git': {},
      'package.json': '{"packageManager":"yarn@4.1.0+sha224.x"}',
      packages: { web: {}, own: { 'package-lock.json': '' } },
    },
    locked: { '.git': '', 'pnpm-workspace.yaml': '', 'package.json': 'no JSON', web: {} },
    pipe: { '.git': '', web: {} },
  })
  execFileSync('mkfifo', [join(dir, 'pipe', 'package.json')])
  const of = (folder: string, manifest: unknown = {}) => packageManagerOf(manifest, join(dir, folder))
  for (const name of ['pnpm', 'yarn', 'bun', 'npm']) t.equal(of(name), name, `${name}'s lock file`)
  t.equal(of('none'), 'npm')
  t.equal(of('yarn', { packageManager: 'pnpm@9.15.0' }), 'pnpm', 'packageManager goes before a lock file')
  t.equal(of('none', { packageManager: 'bun' }), 'bun')
  t.equal(of('none', { devEngines: { packageManager: { name: 'pnpm', onFail: 'error' } } }), 'pnpm')
  t.equal(of('none', { devEngines: { packageManager: [{ name: 'vlt' }, { name: 'yarn' }] } }), 'yarn')
  t.equal(of('pnpm', { devEngines: { packageManager: { name: 'vlt' } } }), 'pnpm')
  t.throws(
    () => of('none', { packageManager: 'constructor@1' }),
    /unsupported packageManager: use one of npm, pnpm, yarn, bun/,
  )
  t.equal(of('repo/packages/web'), 'yarn', 'that of the workspace')
  t.equal(of('repo/packages/own'), 'npm', 'the nearest')
  t.equal(of('locked/web'), 'pnpm')
  t.equal(of('pipe/web'), 'npm', 'a pipe is not waited for')
  if (process.getuid?.() !== 0) return
  const theirs = 65_533
  for (const file of ['locked/.git', 'repo/package.json']) chownSync(join(dir, file), theirs, theirs)
  t.equal(of('locked/web'), 'npm', 'another user’s repository above is none')
  t.equal(of('repo/packages/web'), 'npm', 'nor does another user’s file in one of ours count')
  writeFileSync(join(dir, 'repo/packages/web/package.json'), '{}')
  chownSync(join(dir, 'repo/packages/web/package.json'), theirs, theirs)
  t.equal(of('repo/packages/web'), 'yarn', 'but for their package')
})

t.test('the plugin', async t => {
  const declared = {
    types: new Map<string, ServiceType<unknown>>(),
    sources: [] as ProjectSource[],
    checks: [] as Check[],
  }
  const table = linux === false ? darwin : linux
  const rig = new Rig(t, table)
  const provided: Partial<{ processes: Processes }> = {}
  const use: Services = new Proxy(Object.create(null), {
    get: (_, name) => (name === 'processTable' ? table : name === 'processes' ? provided.processes : undefined),
  })
  const host = fakeHost({
    folders: { data: rig.dir, config: rig.dir, runtime: rig.dir, sockets: rig.dir, native },
    service: type => void declared.types.set(type.type, type as ServiceType<unknown>),
    source: source => void declared.sources.push(source),
    check: check => void declared.checks.push(check),
    provide: (name, make) => {
      if (name === 'processes') Object.assign(provided, { processes: make(use) })
    },
    use,
  })
  await plugin.setup(host)
  t.match(
    [...declared.types.values()].map(({ type, isDefault, network }) => [type, isDefault, network]),
    [
      ['exec', true, 'web'],
      ['worker', undefined, 'none'],
    ],
  )
  t.strictSame(declared.sources, [procfile, packageJson])
  t.match(await declared.checks[0]?.run(), { status: 'pass' })
  const run: Run<unknown> = {
    project: { name: 'shop', path: rig.dir, domain: 'shop.localhost' },
    name: 'web',
    key: 'shop:web',
    options: { command: 'echo "$PORT"', tty: false },
    port: 4000,
    env: cleanEnvironment({ PORT: '4000' }),
    dir: rig.dir,
    data: rig.dir,
    stopSignal: 'SIGTERM',
    stopTimeout: 1000,
    log: rig.log,
    signal: new AbortController().signal,
    step: () => {},
  }
  const exec = declared.types.get('exec')
  const instance = await exec?.start(run)
  t.match(await instance?.exited, { code: 0 })
  t.strictSame(await rig.lines(), ['4000'])
  const again = await exec?.adopt?.(run, instance?.state)
  t.match(await again?.exited, { code: 0 })
  for (const dir of [join(rig.dir, 'none'), rig.log.file])
    await t.rejects(async () => void (await exec?.start({ ...run, dir })), {
      code: 'SPAWN_FAILED',
      message: /working folder/,
    })
})

/** Relays a keeper's socket, and can cut it. */
class Between {
  readonly path: string
  isOpen = true
  readonly refused: Promise<void>
  readonly #sockets = new Set<Socket>()

  private constructor(path: string, refused: Promise<void>) {
    this.path = path
    this.refused = refused
  }

  static async open(t: Test, to: string, path: string): Promise<Between> {
    let refuse: () => void = () => {}
    const refused = new Promise<void>(resolve => {
      refuse = resolve
    })
    const between = new Between(path, refused)
    const server = createServer(near => {
      if (!between.isOpen) {
        near.destroy()
        return refuse()
      }
      const far = connect(to)
      for (const [from, other] of [
        [near, far],
        [far, near],
      ] as const) {
        between.#sockets.add(from)
        from.on('error', () => {}).on('close', () => other.destroy())
        from.pipe(other)
      }
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    t.teardown(() => {
      between.cut()
      server.close()
    })
    return between
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }
}

interface Keeper {
  readonly socket: string
  readonly exitFile: string
  readonly tree: { readonly pid: number; readonly keeper: number }
}

t.test('the time that the machine slept does not count', async t => {
  let calls = 0
  const takeBack = setAwakeTimeout(400, () => calls++, 50)
  await new Promise(wake => setTimeout(wake, 60))
  // Nothing runs meanwhile, as in a machine's sleep; the clock goes on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
  await new Promise(wake => setTimeout(wake, 100))
  t.equal(calls, 0, 'not at the wake-up')
  await until('the call', () => calls > 0)
  t.equal(calls, 1)
  takeBack()
  const second = setAwakeTimeout(60, () => calls++, 20)
  await new Promise(wake => setTimeout(wake, 30))
  second()
  await new Promise(wake => setTimeout(wake, 100))
  t.equal(calls, 1, 'one that was taken back does not come')
})

t.test('without a descriptor left a start fails with that reason', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    const { openSync } = await import('node:fs')
    const { KeeperStarter } = await import(${at('../../../plugins/exec-runtime/keeper-starter.js')})
    const starter = new KeeperStarter(${JSON.stringify(join(native, 'locald-keeper'))}, () => ${JSON.stringify(join(dir, 's'))})
    try { for (;;) openSync('/dev/null', 'r') } catch {}
    const link = await starter.start({ argv: ['/usr/bin/true'], dir: '/', env: {} })
    process.stdout.write(String(link) + ' ' + starter.problem)`
  // The test runner adds NODE_OPTIONS to whatever is spawned; its loaders need more descriptors.
  const words = [
    'unset NODE_OPTIONS; ulimit -n 40; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ]
  const ran = spawnSync('/bin/sh', ['-c', ...words], { encoding: 'utf8', env: { PATH: process.env['PATH'] } })
  t.equal(ran.stdout, 'undefined EMFILE', ran.stderr)
})

function treeOf(state: unknown): Keeper {
  return JSON.parse(JSON.stringify(state))
}

/** A daemon that starts a service, prints its state and waits to be killed. */
function spawnLater(rig: Rig, table: ProcessTable): string {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const made = table.orphansReturn
    ? 'new LinuxProcessTable(process.getuid())'
    : 'new DarwinProcessTable(new Tools(process.env.PATH))'
  return `(async () => {
    setInterval(() => {}, 60_000)
    const { KeeperProcesses } = await import(${at('../../../plugins/exec-runtime/processes.js')})
    const { ServiceLog } = await import(${at('../../../kernel/logs/service-log.js')})
    const { LinuxProcessTable } = await import(${at('../../../plugins/platform-linux/process-table.js')})
    const { DarwinProcessTable } = await import(${at('../../../plugins/platform-darwin/process-table.js')})
    const { Tools } = await import(${at('../../../plugins/platform-darwin/commands.js')})
    const dir = ${JSON.stringify(rig.dir)}, native = ${JSON.stringify(native)}, table = ${made}
    const processes = new KeeperProcesses({ keeper: ${JSON.stringify(keeperFor(table))}, folders: { data: dir, config: dir, runtime: dir, sockets: dir, native }, table: () => table, log: console })
    const it = await processes.spawn({ key: 'a:a', argv: ['/bin/sh', '-c', 'exec sleep 1000'], dir, env: {}, tty: false,
      log: new ServiceLog(dir + '/logs'), stopSignal: 'SIGTERM', stopTimeout: 5000 })
    console.log(JSON.stringify(it.state))
  })()`
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
