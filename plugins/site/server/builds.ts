import { spawn } from 'node:child_process'

/** How a site is built. */
export interface BuildsInput {
  readonly command: string
  readonly env: NodeJS.ProcessEnv
  /** Prints a line to the log. */
  readonly print: (text: string) => void
  /** Called after each build that has succeeded. */
  readonly built: () => void
}

/** Changes are reported up to this long after they were made: ms. */
const lateMs = 700
/** A file that changes during this many builds in a row is written by them. */
const ownAfter = 3

/** Builds a site: one build at a time, and another one for changes that came during it. */
export class Builds {
  readonly #input: BuildsInput
  /** Changed files that no build has seen from its start. */
  readonly #due = new Set<string>()
  /** In how many builds in a row a file has changed. */
  readonly #counts = new Map<string, number>()
  #problem: string | null = null
  #isRunning = false
  #running: Promise<void> | undefined

  constructor(input: BuildsInput) {
    this.#input = input
  }

  /** Whether the output may be incomplete: a build writes it, or has failed to. */
  get isIncomplete(): boolean {
    return this.#isRunning || this.#problem !== null
  }

  /** Resolves once no build runs, with what is wrong with the last one: null when nothing is. */
  async settled(): Promise<string | null> {
    while (this.#running !== undefined) await this.#running
    return this.#problem
  }

  /** Builds because of changed files; during a build, after it. */
  start(files: readonly string[]): void {
    for (const file of files) this.#due.add(file)
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined
    })
  }

  async #runAll(): Promise<void> {
    for (let isFirst = true; isFirst || this.#due.size > 0; isFirst = false) {
      const causes = [...this.#due]
      this.#due.clear()
      if (causes.length > 0) this.#input.print(`${shorten(causes)} changed; building`)
      this.#isRunning = true
      this.#problem = await run(this.#input)
      this.#isRunning = false
      if (this.#problem === null) this.#input.built()
      else this.#input.print(this.#problem)
      await new Promise(resolve => setTimeout(resolve, lateMs))
      this.#dropOwn()
    }
    this.#counts.clear()
  }

  /** Forgets changes that the build itself makes, which would cause builds forever. */
  #dropOwn(): void {
    for (const file of this.#counts.keys()) if (!this.#due.has(file)) this.#counts.delete(file)
    for (const file of this.#due) {
      const count = (this.#counts.get(file) ?? 0) + 1
      this.#counts.set(file, count)
      if (count < ownAfter) continue
      this.#due.delete(file)
      this.#input.print(`${file} changes during each build and causes none; exclude it in \`watch\``)
    }
  }
}

function shorten([first = '', ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`
}

/** Runs the command; returns why it failed, null when it did not. */
function run({ command, env }: BuildsInput): Promise<string | null> {
  return new Promise(resolve => {
    const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', error => resolve(`the build failed to start: ${error.message}`))
    child.on('exit', (code, signal) => {
      const how = signal === null ? `exited with code ${code ?? 1}` : `was killed by ${signal}`
      resolve(code === 0 ? null : `the build failed: \`${command}\` ${how}`)
    })
  })
}
