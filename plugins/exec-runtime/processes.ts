import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type {
  Folders,
  Instance,
  Log,
  LogSink,
  Processes,
  ProcessSpec,
  ProcessTable,
} from '../../kernel/contract/plugin.ts'
import { messageOf, systemCode } from '../../kernel/errors.ts'
import { isProgram } from '../lib/files.ts'
import type { Cgroups } from '../platform-linux/service.ts'
import { KeeperConnection, type KeeperEvent } from './keeper-connection.ts'
import { graceOf, KeeperProcess, type KeeperProcessInput, signalNumber } from './keeper-process.ts'
import { recoverProcess } from './keeper-recovery.ts'
import { RemovalWatch } from './keeper-sockets.ts'
import { KeeperStarter } from './keeper-starter.ts'
import { isKeeperState, type KeeperState } from './keeper-state.ts'
import { failureReason, startError } from './start-error.ts'
import { killedMs, stopUnknownKeeper } from './unknown-keeper.ts'

/** What the keeper's processes need. */
export interface KeeperProcessesInput {
  readonly keeper: string
  readonly folders: Folders
  readonly table: () => ProcessTable
  /** Without it services have no cgroups. */
  readonly cgroups?: () => Cgroups
  readonly log: Log
}

/** What a terminal is where no variable says it: at login the daemon starts services without one. The keeper answers as an xterm does. */
const terminal = 'xterm-256color'
/** A mark is in the upper half of 64 bits, so that as a limit of real-time µs it never matters: 2^62 plus 61 random bits. */
const markBase = 2n ** 62n
const markBits = 2n ** 61n
/** An unknown process has so long to end before it is killed: ms. */
const unknownGraceMs = 3000
/** So often a start is repeated that failed as its folder had been removed. */
const maxRetries = 3

/** Processes held by keepers: they outlive the daemon. */
export class KeeperProcesses implements Processes {
  readonly #input: KeeperProcessesInput
  readonly #starter: KeeperStarter
  /** Names of the sockets of all keepers this daemon has started or found. */
  readonly #known = new Set<string>()
  /** The exit records that a service of this key has left. */
  readonly #records = new Map<string, string>()
  /** Those that have not ended, by their ids. */
  readonly #running = new Map<string, KeeperProcess>()
  readonly #watch: RemovalWatch

  constructor(input: KeeperProcessesInput) {
    this.#input = input
    this.#watch = new RemovalWatch(
      file => this.#running.has(idOf(file)),
      () => {
        // The folder is made again when it is needed.
        if (this.#running.size > 0) void this.restore().catch(error => input.log.warn(messageOf(error)))
      },
    )
    this.#makeFolders()
    this.#starter = new KeeperStarter(input.keeper, () =>
      join(input.folders.runtime, `starter-${randomBytes(3).toString('hex')}.s`),
    )
  }

  async spawn(spec: ProcessSpec): Promise<Instance> {
    const { log } = this.#input
    const id = randomBytes(6).toString('hex')
    const base = join(this.#folder, id)
    const mark = (markBase + (randomBytes(8).readBigUInt64BE() % markBits)).toString()
    this.#known.add(id)
    const cgroups = this.#input.cgroups?.()
    const made = await cgroups?.make(id)
    const { connection, answer } = await this.#start(spec, base, mark, made)
    // What it could not join is no account of it.
    const cgroup = answer?.['cgroup'] === true ? made : undefined
    if (made !== undefined && cgroup === undefined)
      await cgroups?.remove(made).catch(error => log.warn(messageOf(error)))
    if (connection === undefined || answer?.event !== 'started') {
      this.#known.delete(id)
      throw startError(spec, answer === undefined ? await this.#describeMissing() : failureReason(answer))
    }
    const table = this.#input.table()
    const [pid, keeper] = [Number(answer['pid']), Number(answer['keeper'])]
    const [keeperStart = '', mainStart = ''] = await Promise.all([table.start(keeper), table.start(pid)]).catch(
      async (error: unknown) => {
        await stopUnsupervised(connection)
        throw error
      },
    )
    const tree = {
      keeper,
      pid,
      pgid: pid,
      ...(table.orphansReturn ? { mark } : {}),
      variable: `NOTIFY_SOCKET=${base}.n`,
      ...(cgroup === undefined ? {} : { cgroup }),
      startedMs: Number(answer['startedMs']),
      starts: { keeper: keeperStart, main: mainStart },
      ...(spec.port === undefined ? {} : { port: spec.port }),
    }
    const state: KeeperState = { socket: `${base}.s`, exitFile: this.#exitFile(id), tree }
    this.#forgetRecord(spec.key, state.exitFile)
    return this.#supervise({ connection, isAdopted: false, state, log: spec.log, table, cgroups, warn: log.warn })
  }

  async adopt(state: unknown, log: LogSink): Promise<Instance | undefined> {
    const table = this.#input.table()
    const found = isKeeperState(state)
      ? { state, connection: await KeeperConnection.open(state.socket) }
      : await recoverProcess(state, table)
    if (found === undefined) return undefined
    this.#known.add(idOf(found.state.socket))
    return this.#supervise({
      ...found,
      isAdopted: true,
      log,
      table,
      cgroups: this.#input.cgroups?.(),
      warn: this.#input.log.warn,
    })
  }

  async tidy(spared: readonly unknown[] = [], graceMs = unknownGraceMs): Promise<void> {
    const named = JSON.stringify(spared)
    const isUnknown = (id: string) => !this.#known.has(id) && !named.includes(id)
    const files = await Promise.all([this.#folder, this.#exits].map(folder => readdir(folder)))
    const ids = new Set(files.flat().map(idOf).filter(isUnknown))
    const { keeper, log } = this.#input
    const filesOf = (id: string) => ({ base: join(this.#folder, id), exitFile: this.#exitFile(id) })
    await Promise.all([...ids].map(id => stopUnknownKeeper(filesOf(id), { program: keeper, graceMs, log })))
  }

  async restore(): Promise<void> {
    this.#makeFolders()
    await Promise.all([...this.#running.values()].map(instance => instance.restore()))
  }

  #supervise(input: KeeperProcessInput): KeeperProcess {
    const instance = new KeeperProcess(input)
    const id = idOf(input.state.socket)
    this.#running.set(id, instance)
    void instance.exited.then(() => this.#running.delete(id))
    // What was removed before is not noticed.
    void instance.restore()
    return instance
  }

  /** Where new keepers' sockets are; those of older ones may be elsewhere. */
  get #folder(): string {
    return join(this.#input.folders.runtime, 'k')
  }

  /** Where keepers leave their exits for a later daemon: in the data folder, for cleaners empty the other. */
  get #exits(): string {
    return join(this.#input.folders.data, 'exits')
  }

  #exitFile(id: string): string {
    return join(this.#exits, `${id}.x`)
  }

  #makeFolders(): void {
    for (const folder of [this.#folder, this.#exits]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#watch.follow(this.#folder)
  }

  /** A keeper and what it says of its start. Between the making of its folder and its bind a cleaner may be, but not time and again. */
  async #start(
    spec: ProcessSpec,
    base: string,
    mark: string,
    cgroup: string | undefined,
  ): Promise<{ readonly connection: KeeperConnection | undefined; readonly answer: KeeperEvent | undefined }> {
    for (let left = maxRetries; ; left--) {
      const connection = await this.#launch(spec, base, mark, cgroup)
      const answer = await connection?.next('started', 'failed')
      const isOfSocket = answer?.['step'] === 'socket' || answer?.['step'] === 'notify'
      if (!isOfSocket || answer['errno'] !== constants.errno.ENOENT || left === 0) return { connection, answer }
      connection?.close()
    }
  }

  async #launch(
    spec: ProcessSpec,
    base: string,
    mark: string,
    cgroup: string | undefined,
  ): Promise<KeeperConnection | undefined> {
    const argv = [
      ...[this.#input.keeper, 'run'],
      ...['--socket', `${base}.s`, '--exit', this.#exitFile(basename(base)), '--notify', `${base}.n`],
      ...['--log', spec.log.file, '--log-bytes', String(spec.log.maxBytes), '--log-files', String(spec.log.maxFiles)],
      ...(this.#input.table().orphansReturn ? ['--mark', mark] : []),
      ...['--stop-signal', String(signalNumber(spec.stopSignal)), '--stop-ms', String(graceOf(spec.stopTimeout))],
      ...(spec.stopsChildren === true ? ['--main-only'] : []),
      ...(spec.tty ? ['--tty', '120x40'] : []),
      ...(cgroup === undefined ? [] : ['--cgroup', cgroup]),
      '--',
      ...spec.argv,
    ]
    if ([spec.dir, ...argv, ...Object.entries(spec.env).flat()].some(text => text.includes('\0')))
      throw startError(spec, 'a NUL is in its command, folder or environment')
    try {
      // The runtime folder may have been removed.
      this.#makeFolders()
      mkdirSync(dirname(spec.log.file), { recursive: true, mode: 0o700 })
    } catch (error) {
      throw startError(spec, systemCode(error) ?? messageOf(error))
    }
    return this.#starter.start({ argv, dir: spec.dir, env: spec.tty ? { TERM: terminal, ...spec.env } : spec.env })
  }

  /** The record of an earlier run is of no use any more. */
  #forgetRecord(key: string, file: string): void {
    const last = this.#records.get(key)
    this.#records.set(key, file)
    // Its folder may be one that nobody can look into any more.
    if (last !== undefined) void rm(last, { force: true }).catch(() => {})
  }

  async #describeMissing(): Promise<string> {
    const { keeper } = this.#input
    if (!(await isProgram(keeper))) return `${keeper} is missing; run \`npm rebuild locald\``
    if (this.#starter.problem === 'EMFILE') return 'the daemon has no descriptor left (EMFILE)'
    return 'its keeper ended at once'
  }
}

/** Ends a service that cannot be held, as `ps` has failed: nobody would know that it runs, and the next start would start another. */
async function stopUnsupervised(connection: KeeperConnection): Promise<void> {
  const ended = connection.next('exit')
  connection.send(`stop ${constants.signals.SIGKILL} 0`)
  await Promise.race([ended, pause(killedMs, undefined, { ref: false })])
  connection.close()
}

/** What a keeper's files have in common: `<id>.s`, `<id>.n`, `<id>.x`. */
function idOf(file: string): string {
  return basename(file).slice(0, -2)
}
