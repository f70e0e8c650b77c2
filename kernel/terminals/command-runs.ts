import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Argv, Instance, Memory, Processes } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Events } from '../events.ts'
import { type LogLimits, ServiceLog } from '../logs/service-log.ts'
import type { RunView } from '../protocol.ts'
import { CommandRun, graceMs } from './command-run.ts'

/** Commands at once, with those that have exited and are not closed yet. */
const runLimit = 8
/** What is kept of the output of one, besides its screen. */
const outputLimits: LogLimits = { maxBytes: 1000 * 1000, maxFiles: 2 }
/** The keeper's text when the program does not exist (execvp(3), ENOENT). */
const notFound = 'exec: No such file or directory'

/** What commands need. */
export interface CommandRunsInput {
  readonly processes: () => Processes
  readonly memory: () => Memory
  readonly events: Events
  /** For output; nothing else is in it. */
  readonly folder: string
  /** Reports an error of a terminal that is not expected. */
  readonly failed: (error: unknown) => void
}

/** A command to start. */
export interface CommandInput {
  readonly service: { readonly key: string; readonly name: string }
  /** As the user gave it. */
  readonly argv: Argv
  /** What to run in its place; undefined: the command itself. */
  readonly program: Argv | undefined
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Commands on terminals of the daemon's, each in a service's place. They are held by keepers, as services are, but belong
 * to this daemon: it stops them when it stops, and the next one stops those of a daemon that was killed, as processes
 * that it does not know.
 */
export class CommandRuns {
  readonly #input: CommandRunsInput
  readonly #runs = new Map<string, CommandRun>()
  /** A number for each run: keepers note the exit of a process by its name, of which there are only so many. */
  readonly #slots = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  #isClosing = false

  constructor(input: CommandRunsInput) {
    this.#input = input
    input.events.on(event => {
      if (event.event === 'removed') this.stopOf(event.key).catch(input.failed)
    })
  }

  /** Deletes the output of an earlier daemon's commands, once these have exited. */
  async tidy(): Promise<void> {
    await rm(this.#input.folder, { recursive: true, force: true })
  }

  list(): readonly RunView[] {
    return [...this.#runs.values()].map(run => run.view())
  }

  /** Throws UNKNOWN_RUN. */
  get(id: string): CommandRun {
    const run = this.#runs.get(id)
    if (run !== undefined) return run
    throw new LocaldError('UNKNOWN_RUN', `no command has the id '${id}'`, {
      hint: 'Start it again: it was closed, or an earlier daemon had started it.',
    })
  }

  /** Calls a listener when the list changes; the result removes it. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Starts a command. Throws DAEMON_BUSY when there are as many as may be, SPAWN_FAILED where it cannot be run. */
  async start(command: CommandInput): Promise<RunView> {
    const { service, argv, program = argv, dir, env } = command
    const id = randomBytes(6).toString('hex')
    const slot = this.#reserve(id)
    const folder = join(this.#input.folder, id)
    const key = `${service.key} run ${slot}`
    let instance: Instance
    const log = new ServiceLog(folder, outputLimits)
    try {
      instance = await this.#input.processes().spawn({
        ...{ key, argv: program, dir, env, log },
        ...{ tty: true, port: undefined, stopSignal: 'SIGHUP', stopTimeout: graceMs },
      })
    } catch (error) {
      this.#slots.delete(id)
      await rm(folder, { recursive: true, force: true })
      throw startError(error, key, command)
    }
    const run = new CommandRun({
      ...{ id, service: service.key, argv, instance, log, folder },
      failed: this.#input.failed,
    })
    this.#runs.set(id, run)
    void run.exited.then(() => this.#changed())
    this.#changed()
    if (!this.#isClosing) return run.view()
    await this.close(id)
    throw closingError()
  }

  /** Stops a command, and forgets it with its output. */
  async close(id: string): Promise<void> {
    const run = this.get(id)
    await run.stop()
    if (!this.#runs.delete(id)) return
    this.#slots.delete(id)
    await run.close()
    this.#changed()
    if (this.#runs.size === 0) this.#input.memory().rest('garbage')
  }

  /** Stops the commands in the place of a service. */
  async stopOf(key: string): Promise<void> {
    const own = [...this.#runs].filter(([, { service }]) => service === key)
    await Promise.all(own.map(([id]) => this.close(id)))
  }

  /** Stops all commands, and starts no more. */
  async closeAll(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#runs.keys()].map(id => this.close(id)))
  }

  /** Returns a free number; forgets a command that has exited where there is none. */
  #reserve(id: string): number {
    if (this.#isClosing) throw closingError()
    if (this.#slots.size >= runLimit) this.#forgetExited()
    const used = [...this.#slots.values()]
    const slot = Array.from({ length: runLimit }, (_, at) => at + 1).find(number => !used.includes(number))
    if (slot === undefined)
      throw new LocaldError('DAEMON_BUSY', `too many commands are running (limit ${runLimit})`, {
        hint: 'Close one of those on the screen Terminals.',
      })
    this.#slots.set(id, slot)
    return slot
  }

  #forgetExited(): void {
    const [oldest] = [...this.#runs].filter(([, run]) => run.hasExited)
    if (oldest === undefined) return
    const [id, run] = oldest
    this.#runs.delete(id)
    this.#slots.delete(id)
    run.close().catch(this.#input.failed)
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

function closingError(): LocaldError {
  return new LocaldError('DAEMON_CLOSING', 'the daemon is shutting down', { hint: 'Try again in a moment.' })
}

/** Returns the error of a start in the words of `locald run`. */
function startError(error: unknown, key: string, { argv: [name], service }: CommandInput): unknown {
  if (!LocaldError.is(error) || error.code !== 'SPAWN_FAILED') return error
  if (!error.message.endsWith(notFound))
    return new LocaldError('SPAWN_FAILED', error.message.replace(key, name), {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      service: service.key,
    })
  return new LocaldError('SPAWN_FAILED', `command not found: ${name}`, {
    ...{ service: service.key, hint: `Check the PATH of '${service.name}': the command is searched there.` },
  })
}
