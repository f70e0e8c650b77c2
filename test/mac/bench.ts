import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline/promises'
import type { SandboxOptions, Test } from '../lib/sandbox.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** `needs a person`: it was not tried, for there was none. `not here`: the machine cannot show it, as Linux. */
export type Outcome = 'pass' | 'fail' | 'needs a person' | 'not here'

/** What is to be seen on a Mac. */
export interface Step {
  readonly id: string
  /** What is so when it passes. */
  readonly title: string
  /** `person`: someone at the screen, who is asked first. `root`: a sudo that asks for no password, or a person. */
  readonly needs: 'nothing' | 'root' | 'person'
  /** Linux cannot show it, even with LOCALD_PLATFORM=darwin. */
  readonly onlyMac?: boolean
  /** Throws when it is not so. */
  run(bench: Bench): Promise<void>
}

/** The exit of a program, and both its outputs in one text. */
export interface Ran {
  readonly code: number | null
  readonly text: string
  readonly ms: number
}

export const isMac = process.platform === 'darwin'

/** What a step works with; all that it changes has its undoing in `teardown`, which `undo` goes through, last first. */
export class Bench implements Test {
  readonly unattended: boolean
  /** What was seen, for the report: name and text. */
  readonly notes: (readonly [name: string, text: string])[] = []
  readonly #undoings: (() => unknown)[] = []
  readonly #signal: AbortSignal
  #isUndoing = false

  constructor(unattended: boolean, signal: AbortSignal) {
    this.unattended = unattended
    this.#signal = signal
  }

  note(name: string, text: string): void {
    this.notes.push([name, text.trimEnd()])
  }

  teardown(undoing: () => unknown): void {
    this.#undoings.push(undoing)
  }

  /** Undoes what was done; the result is what could not be. */
  async undo(): Promise<readonly string[]> {
    const failures: string[] = []
    this.#isUndoing = true
    for (let undoing = this.#undoings.pop(); undoing !== undefined; undoing = this.#undoings.pop()) {
      try {
        await undoing()
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
    return failures
  }

  /** A daemon, folders and ports of its own; on Linux it assumes a Mac. */
  sandbox(options: Omit<SandboxOptions, 'platform' | 'user'> = {}): Sandbox {
    // Called before each command: none is begun after Ctrl-C but by what undoes.
    const through = () => {
      if (!this.#isUndoing) this.#signal.throwIfAborted()
      return []
    }
    return new Sandbox(this, { ...options, user: 'self', platform: isMac ? undefined : 'darwin', through })
  }

  /** Runs a program to its end, killed after so many ms; code null: it was, or is not there. */
  async run(program: string, words: readonly string[] = [], limitMs = 30_000): Promise<Ran> {
    if (!this.#isUndoing) this.#signal.throwIfAborted()
    const begun = performance.now()
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', piece => {
        text += piece
      })
    const code = await new Promise<number | null>(resolve => {
      child.once('error', error => {
        text += error.message
        resolve(null)
      })
      child.once('close', resolve)
    })
    if (!this.#isUndoing) this.#signal.throwIfAborted()
    return { code, text, ms: Math.round(performance.now() - begun) }
  }

  /** As `run`, and its text is noted under its words. */
  async record(program: string, words: readonly string[] = [], limitMs?: number): Promise<Ran> {
    const ran = await this.run(program, words, limitMs)
    this.note(`${[program, ...words].join(' ')} (${ran.code ?? 'not run'}, ${ran.ms} ms)`, ran.text)
    return ran
  }

  /** Waits, unless the run is aborted before. */
  async pause(ms: number): Promise<void> {
    for (const end = Date.now() + ms; Date.now() < end; ) {
      this.#signal.throwIfAborted()
      await new Promise(wake => setTimeout(wake, Math.min(100, Math.max(0, end - Date.now()))))
    }
  }

  /** What a person answers. Only for steps that need one. */
  async ask(question: string): Promise<string> {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return (await lines.question(`${question}\n> `, { signal: this.#signal })).trim()
    } finally {
      lines.close()
    }
  }

  /** Throws with what was expected. */
  expect(isSo: boolean, what: string): void {
    if (!isSo) throw new Error(`not so: ${what}`)
  }
}

/** Whether root may be had without a password. */
export function hasRoot(): boolean {
  return process.getuid?.() === 0 || spawnSync('sudo', ['-n', 'true']).status === 0
}
