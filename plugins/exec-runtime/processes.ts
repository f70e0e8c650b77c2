import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
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
import type { Cgroups } from '../platform-linux/provides.ts'
import { KeeperConnection, type KeeperEvent } from './keeper-connection.ts'
import { graceOf, KeeperProcess, type KeeperProcessInput, signalNumber } from './keeper-process.ts'
import { recoverProcess } from './keeper-recovery.ts'
import { RemovalWatch } from './keeper-sockets.ts'
import { KeeperStarter } from './keeper-starter.ts'
import { isKeeperState, type KeeperState } from './keeper-state.ts'
import { failureReason, startError } from './start-error.ts'
import { stopUnknownKeeper, stopUnsupervised } from './unknown-keeper.ts'

/** What the keepers' processes need. */
export interface KeeperProcessesInput {
  readonly keeper: string
  readonly folders: Folders
  readonly table: () => ProcessTable
  /** Undefined: services have no cgroups. */
  readonly cgroups?: () => Cgroups
  readonly log: Log
}

/** TERM when the environment has none, as at login. The keeper answers as an xterm does. */
const terminal = 'xterm-256color'
/**
 * A mark is in the upper half of 64 bits, so that as a limit of real-time µs it has no effect: 2^62 plus 61 random
 * bits.
 */
const markBase = 2n ** 62n
const markBits = 2n ** 61n
/** The grace period of an unknown process before it is killed: ms. */
const unknownGraceMs = 3000
/** Retries of a start that failed because its folder was deleted. */
const maxRetries = 3

/** Starts and adopts processes with keepers, which outlive the daemon. */
export class KeeperProcesses implements Processes {
  readonly #input: KeeperProcessesInput
  readonly #starter: KeeperStarter
  /** Ids of all keepers that this daemon has started or adopted. */
  readonly #known = new Set<string>()
  /** The exit record of each service's last run, by its key. */
  readonly #records = new Map<string, string>()
  /** Running processes, by their ids. */
  readonly #running = new Map<string, KeeperProcess>()
  readonly #watch: RemovalWatch

  constructor(input: KeeperProcessesInput) {
    this.#input = input
    this.#watch = new RemovalWatch(
      file => this.#running.has(idOf(file)),
      () => {
        // A start creates the folder again.
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
    // A cgroup that the process did not join cannot account for it.
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
    // Deletions before the watch are not reported.
    void instance.restore()
    return instance
  }

  /** The folder of new keepers' sockets; those of older ones may be elsewhere. */
  get #folder(): string {
    return join(this.#input.folders.runtime, 'k')
  }

  /** Where keepers record their exits for a later daemon: in the data folder, as cleaners empty the other. */
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

  /**
   * Starts a keeper and returns its first event. A cleaner may delete the folder between its creation and the keeper's
   * bind, but not repeatedly.
   */
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
      // The runtime folder may have been deleted.
      this.#makeFolders()
      mkdirSync(dirname(spec.log.file), { recursive: true, mode: 0o700 })
    } catch (error) {
      throw startError(spec, systemCode(error) ?? messageOf(error))
    }
    return this.#starter.start({ argv, dir: spec.dir, env: spec.tty ? { TERM: terminal, ...spec.env } : spec.env })
  }

  /** Removes the record of an earlier run. */
  #forgetRecord(key: string, file: string): void {
    const last = this.#records.get(key)
    this.#records.set(key, file)
    // The daemon may have lost access to the folder.
    if (last !== undefined) void rm(last, { force: true }).catch(() => {})
  }

  async #describeMissing(): Promise<string> {
    const { keeper } = this.#input
    if (!(await isProgram(keeper))) return `${keeper} is missing; run \`npm rebuild locald\``
    if (this.#starter.problem === 'EMFILE') return 'the daemon has no descriptor left (EMFILE)'
    return 'its keeper exited at once'
  }
}

/** Returns the common part of a keeper's files: `<id>.s`, `<id>.n`, `<id>.x`. */
function idOf(file: string): string {
  return basename(file).slice(0, -2)
}
