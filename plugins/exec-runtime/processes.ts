import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { access, constants, readdir, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type {
  Folders,
  Instance,
  Log,
  LogSink,
  Processes,
  ProcessSpec,
  ProcessTable,
  ProcessTree,
} from '../../kernel/plugin.ts'
import { readExit } from './exit.ts'
import { HeldProcess, type HeldState, signalNumber } from './held.ts'
import { KeeperLink } from './link.ts'

/** What the keeper's processes need. */
export interface KeeperProcessesInput {
  readonly keeper: string
  readonly folders: Folders
  readonly table: () => ProcessTable
  readonly log: Log
}

/** A mark is in the upper half of 64 bits, so that as a limit of real-time µs it never matters: 2^62 plus 61 random bits. */
const markBase = 2n ** 62n
const markBits = 2n ** 61n

/** Processes held by keepers: they outlive the daemon. */
export class KeeperProcesses implements Processes {
  readonly #input: KeeperProcessesInput
  readonly #folder: string

  constructor(input: KeeperProcessesInput) {
    this.#input = input
    this.#folder = join(input.folders.runtime, 'k')
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
  }

  async spawn(spec: ProcessSpec): Promise<Instance> {
    const id = randomBytes(6).toString('hex')
    const base = join(this.#folder, id)
    const mark = (markBase + (randomBytes(8).readBigUInt64BE() % markBits)).toString()
    const link = this.#launch(spec, base, mark)
    const answer = await link.next('started', 'failed')
    if (answer?.event !== 'started') {
      const reason =
        answer === undefined ? await this.#missing() : `${String(answer['step'])}: ${String(answer['error'])}`
      throw new LocaldError('SPAWN_FAILED', `${spec.key} could not be started: ${reason}`, {
        service: spec.key,
        hint: "Check `command` and `workdir`; the daemon's own log may say more.",
      })
    }
    const pid = Number(answer['pid'])
    const keeper = Number(answer['keeper'])
    const tree: ProcessTree = {
      keeper,
      pid,
      pgid: pid,
      ...(this.#input.table().orphansReturn ? { mark } : {}),
      startedMs: Number(answer['startedMs']),
      ...(spec.port === undefined ? {} : { port: spec.port }),
    }
    const table = this.#input.table()
    const [keeperStart = '', mainStart = ''] = await Promise.all([table.start(keeper), table.start(pid)])
    const state: HeldState = { socket: `${base}.s`, exitFile: `${base}.x`, tree, keeperStart, mainStart }
    return new HeldProcess({ link, state, log: spec.log, table })
  }

  async adopt(state: unknown, log: LogSink): Promise<Instance | undefined> {
    if (!isHeldState(state)) return undefined
    const table = this.#input.table()
    const link = await KeeperLink.open(state.socket)
    if (link !== undefined) {
      const instance = new HeldProcess({ link, state, log, table })
      link.send('state')
      return instance
    }
    if ((await readExit(state.exitFile)) === undefined) {
      // No keeper and no record: it was killed. What it held is known by its mark and start tokens only.
      const main = { pid: state.tree.pid, ppid: state.tree.keeper, start: state.mainStart }
      await table.sweep(state.tree, [main])
      return undefined
    }
    return new HeldProcess({ link: undefined, state, log, table })
  }

  /** Removes what keepers of ended services left, but for the given states. */
  async tidy(kept: readonly unknown[]): Promise<void> {
    const names = new Set(kept.filter(isHeldState).flatMap(state => [state.socket, state.exitFile]))
    for (const name of await readdir(this.#folder)) {
      const file = join(this.#folder, name)
      if (name.endsWith('.x') && !names.has(file)) await rm(file, { force: true })
    }
  }

  #launch(spec: ProcessSpec, base: string, mark: string): KeeperLink {
    const { keeper } = this.#input
    const argv = [
      'run',
      ...['--socket', `${base}.s`, '--exit', `${base}.x`, '--notify', `${base}.n`],
      ...['--log', spec.log.file, '--log-bytes', String(spec.log.maxBytes), '--log-files', String(spec.log.maxFiles)],
      ...(this.#input.table().orphansReturn ? ['--mark', mark] : ['--group-only']),
      ...['--stop-signal', String(signalNumber(spec.stopSignal)), '--stop-ms', String(spec.stopTimeout)],
      ...(spec.tty ? ['--tty', '120x40'] : []),
      '--',
      ...spec.argv,
    ]
    const child = spawn(keeper, argv, {
      cwd: spec.dir,
      env: spec.env,
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    })
    child.on('error', error => this.#input.log.error(`${spec.key}: the keeper could not be run: ${messageOf(error)}`))
    child.unref()
    const channel = child.stdio[3]
    if (channel instanceof Socket) return new KeeperLink(channel)
    throw new LocaldError('SPAWN_FAILED', `${spec.key} could not be started: no channel to its keeper`, {
      service: spec.key,
    })
  }

  async #missing(): Promise<string> {
    const { keeper } = this.#input
    const there = await access(keeper, constants.X_OK).then(
      () => true,
      () => false,
    )
    return there ? 'its keeper ended at once' : `${keeper} is missing; run \`npm rebuild locald\``
  }
}

function isHeldState(value: unknown): value is HeldState {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['socket', 'exitFile', 'keeperStart', 'mainStart'].every(
    key => typeof Reflect.get(value, key) === 'string',
  )
  const tree: unknown = Reflect.get(value, 'tree')
  if (!texts || typeof tree !== 'object' || tree === null) return false
  return ['keeper', 'pid', 'pgid', 'startedMs'].every(key => Number.isInteger(Reflect.get(tree, key)))
}
