/** A log written as a keeper does, with what is to be read from it known: for tests of the readers. */
import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { LogLine } from '../../kernel/events.ts'
import type { OutputLine } from '../../kernel/logs/lines.ts'
import { readLogs } from '../../kernel/logs/merge.ts'
import { ServiceLog } from '../../kernel/logs/service-log.ts'

/** A clock of its own: each entry is a microsecond, or more, later than the one before. */
export class Clock {
  #us = Date.UTC(2026, 10, 24) * 1000

  tick(us = 1): string {
    this.#us += us
    const ms = Math.floor(this.#us / 1000)
    return `${new Date(ms).toISOString().slice(0, -1)}${String(this.#us % 1000).padStart(3, '0')}Z`
  }
}

export class ModelLog {
  readonly file: string
  readonly clock: Clock
  /** The whole lines, in the order of their last bytes. */
  readonly lines: OutputLine[] = []
  readonly #open = new Map<string, { time: string; bytes: Buffer[] }>()
  #rotations = 0

  constructor(file: string, clock = new Clock()) {
    this.file = file
    this.clock = clock
  }

  /** Writes an entry. */
  write(stream: string, bytes: Buffer | string, full = true): void {
    const time = this.clock.tick()
    const text = Buffer.from(bytes)
    appendFileSync(
      this.file,
      Buffer.concat([Buffer.from(`${time} ${stream} ${full ? 'F' : 'P'} `), text, Buffer.from('\n')]),
    )
    const open = this.#open.get(stream) ?? { time, bytes: [] }
    open.bytes.push(text)
    if (!full) this.#open.set(stream, open)
    else {
      this.#open.delete(stream)
      this.lines.push({ time: open.time, stream, text: Buffer.concat(open.bytes).toString() })
    }
  }

  /** All lines, the unfinished ones too. */
  get all(): readonly OutputLine[] {
    const unfinished = [...this.#open].map(([stream, { time, bytes }]) => ({
      time,
      stream,
      text: Buffer.concat(bytes).toString(),
    }))
    return [...this.lines, ...unfinished.filter(({ text }) => text !== '')]
  }

  /** Moves the files on, the older ones first, and begins a new one. */
  rotate(): void {
    if (!existsSync(this.file)) return
    for (let index = this.#rotations++; index >= 1; index--)
      renameSync(`${this.file}.${index}`, `${this.file}.${index + 1}`)
    renameSync(this.file, `${this.file}.1`)
    writeFileSync(this.file, '')
  }

  /** Removes the oldest file, as the cap does. */
  drop(): void {
    if (this.#rotations === 0) return
    rmSync(`${this.file}.${this.#rotations--}`)
  }
}

/** A folder that is removed after the test. `inMemory`: where the machine can, for many small files. */
export function folder(t: { teardown(done: () => void): void }, inMemory = false): string {
  const base = inMemory && existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const path = mkdtempSync(join(base, 'locald-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A service whose log is a model's. */
export function modelSource(t: Pick<Test, 'teardown'>, service: string, clock?: Clock) {
  const log = new ServiceLog(folder(t))
  return { service, log, model: new ModelLog(log.file, clock) }
}

/** All that a read that is not followed gives. */
export async function collect(
  request: Partial<Parameters<typeof readLogs>[0]> & Pick<Parameters<typeof readLogs>[0], 'sources'>,
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = []
  for await (const batch of readLogs({ follow: false, signal: new AbortController().signal, ...request }))
    lines.push(...batch)
  return lines
}

/** The texts of lines. */
export function textsOf(lines: readonly { readonly text: string }[]): readonly string[] {
  return lines.map(({ text }) => text)
}
