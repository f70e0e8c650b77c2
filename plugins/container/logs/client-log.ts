import type { Readable } from 'node:stream'
import type { LogEntry } from '../../../kernel/contract/plugin.ts'
import { type Child, startChild } from '../../lib/child.ts'
import { ClientEntries } from './client-entries.ts'
import { EntrySkip } from './entry-skip.ts'
import { EntryWriter } from './entry-writer.ts'
import type { FollowedContainer, LogFollower } from './follower.ts'
import { StreamMerge } from './stream-merge.ts'

type Stream = LogEntry['stream']

/** What is read again when a client is started after another, ms: two streams are never exactly together. */
const overlapMs = 5000
/** The pause before the next client, and the longest, ms. */
const pauseMs = 250
const longestPauseMs = 30_000
/** How often the last output is read when the client fails. */
const lastTries = 3
/** How long `drained` waits for a client that prints nothing, ms: podman looks through its whole file first. */
const drainMs = 15_000

const unread = 'the last output of the container could not be read'

/** Follows a container's output by the engine's client, which is started again where it exits. */
export class ClientLog implements LogFollower {
  readonly #input: FollowedContainer
  readonly #writer: EntryWriter
  #child: Child | undefined
  #isClosed = false
  #isDraining = false
  #deadline: NodeJS.Timeout | undefined
  #isReported = false
  /** The last message of a client. */
  #message = ''
  /** Stops a pause. */
  #wake = () => {}
  readonly #done: Promise<void>

  constructor(input: FollowedContainer) {
    this.#input = input
    this.#writer = new EntryWriter(input.log)
    this.#done = this.#run()
  }

  async drained(): Promise<void> {
    this.#isDraining = true
    this.#child?.stop()
    this.#wake()
    this.#deadline = setTimeout(
      () => {
        this.#report(unread)
        this.close()
      },
      drainMs * (this.#input.engine.patience ?? 1),
    )
    await this.#done
    clearTimeout(this.#deadline)
  }

  close(): void {
    this.#isClosed = true
    this.#writer.close()
    this.#child?.stop()
    // They may be paused.
    for (const stream of [this.#child?.stdout, this.#child?.stderr]) stream?.destroy()
    this.#wake()
  }

  async #run(): Promise<void> {
    for (let wait = pauseMs; this.#isFollowing(); wait = Math.min(longestPauseMs, wait * 2)) {
      const began = performance.now()
      const code = await this.#read(['--follow'])
      if (!this.#isFollowing()) break
      if (code !== 0) this.#report('the output of the container cannot be read')
      if (performance.now() - began > longestPauseMs) wait = pauseMs
      await this.#pause(wait)
    }
    if (this.#isDraining && !this.#isClosed) await this.#readLast()
  }

  #isFollowing(): boolean {
    return !this.#isClosed && !this.#isDraining
  }

  /** Reads what a client that follows has not shown; it may exit too early. */
  async #readLast(): Promise<void> {
    let code = await this.#read([])
    for (let tries = 1; code !== 0 && tries < lastTries && !this.#isClosed; tries++) {
      await this.#pause(pauseMs)
      code = await this.#read([])
    }
    const isWritten = await this.#writer.finish()
    if ((code !== 0 || !isWritten) && !this.#isClosed) this.#report(unread)
  }

  /** Runs a client until it exits; returns its exit code. */
  async #read(flags: readonly string[]): Promise<number | null> {
    const { engine, container, log, isNew } = this.#input
    const isFirst = isNew && !this.#writer.hasWritten
    const last = isFirst ? undefined : await log.lastEntry()
    const skips = {
      stdout: new EntrySkip(isFirst ? undefined : await log.lastEntry('stdout')),
      stderr: new EntrySkip(isFirst ? undefined : await log.lastEntry('stderr')),
    }
    if (this.#isClosed) return null
    const since = last === undefined ? [] : ['--since', new Date(Date.parse(last.time) - overlapMs).toISOString()]
    const child = startChild(engine.command(['logs', '--timestamps', ...flags, ...since, container]))
    this.#child = child
    const isStopped = () => flags.length > 0 && !this.#isFollowing()
    if (isStopped()) child.stop()
    const merge = new StreamMerge(entries => this.#writer.write(entries, [child.stdout, child.stderr]))
    const read = async (stream: Stream) => {
      const entries = new ClientEntries(stream, engine.dialect)
      const take = (found: readonly LogEntry[]) => {
        // On SIGTERM podman drops some lines and still prints later ones; the next client reads them all.
        if (!isStopped()) merge.push(skips[stream].rest(this.#writer.note(found)))
      }
      await readAll(child[stream], chunk => {
        this.#deadline?.refresh()
        take(entries.push(chunk))
      })
      this.#message = entries.message || this.#message
      return () => take(entries.end())
    }
    const ends = await Promise.all([read('stdout'), read('stderr')])
    const code = await child.exited
    // A client that was killed may have been in the middle of an entry.
    if (code === 0) for (const end of ends) end()
    merge.flush()
    await this.#writer.written()
    return code
  }

  #report(what: string): void {
    const text = this.#message === '' ? what : `${what}: ${this.#message}`
    if (!this.#isReported) this.#input.log.write('locald', text)
    this.#isReported = true
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Resolves at the end of a stream, also after an error. */
async function readAll(stream: Readable, take: (chunk: Buffer) => void): Promise<void> {
  await new Promise<void>(resolve => {
    stream.on('data', take).once('close', resolve).once('error', resolve)
  })
}
