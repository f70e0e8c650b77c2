import type { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { Instance, InstanceEvent, Processes, ProcessSpec, ProcessTable } from '../../../kernel/contract/plugin.ts'
import { LogCursor } from '../../../kernel/logs/cursor.ts'
import { ServiceLog } from '../../../kernel/logs/service-log.ts'
import { KeeperProcesses } from '../../../plugins/exec-runtime/processes.ts'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { cleanEnvironment, makeFolder, ownFolder, removeFolder } from '../../lib/keeper.ts'
import { buildTestProgram } from '../../lib/keeper-programs.ts'
import { setsid } from '../../lib/machine.ts'
import { nativeOfMac } from '../../lib/native.ts'
import { root } from '../../lib/user.ts'

export const native = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'native')

export const ofMac = nativeOfMac()

export const testProgram = buildTestProgram(ownFolder(t))

// Keepers hold no daemon back from its end: nor would they this test.
const hold = setInterval(() => {}, 60_000)

t.teardown(() => clearInterval(hold))

/** A daemon of its own session with an empty environment; its pid is printed. */
export const daemon = `env -i ${setsid} sh -c 'echo daemon $$; exec sleep 1000' &`

/** One daemon's processes, in a folder of a subtest; stops what is left of them. */
export class Rig {
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

export function limited<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), 20_000)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Collects an instance's events. */
export function listen(instance: Instance): {
  readonly all: InstanceEvent[]
  next(name: string): Promise<InstanceEvent>
} {
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

export const stop = { signal: 'SIGTERM', graceMs: 5000 }

export const linux = process.platform === 'linux' && new LinuxProcessTable(process.getuid?.() ?? 0)

export const darwin = new DarwinProcessTable(new Tools(process.env['PATH']))

/** A table that does some things in another way. */
export function but(table: ProcessTable, other: Partial<ProcessTable>): ProcessTable {
  return {
    orphansReturn: table.orphansReturn,
    start: pid => table.start(pid),
    members: tree => table.members(tree),
    usage: trees => table.usage(trees),
    listeners: pids => table.listeners(pids),
    holder: port => table.holder(port),
    owns: port => table.owns(port),
    reachesOtherUser: (place, tree) => table.reachesOtherUser(place, tree),
    sweep: (tree, seen) => table.sweep(tree, seen),
    ...other,
  }
}

/** The keeper that belongs to a table. */
export function keeperFor(table: ProcessTable): string {
  return join(table === darwin && ofMac !== undefined ? join(root, ofMac) : native, 'locald-keeper')
}

/** Each platform's table; false where it cannot run. */
export const tables = [
  ['linux', linux],
  ['darwin', darwin],
] as const

/** Relays a keeper's socket, and can cut it. */
export class Between {
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

export function treeOf(state: unknown): Keeper {
  return JSON.parse(JSON.stringify(state))
}

/** A daemon that starts a service, prints its state and waits to be killed. */
export function spawnLater(rig: Rig, table: ProcessTable): string {
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

export async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text
}
