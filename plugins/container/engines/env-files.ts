import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** An engine's CLI reads the file as its first act; this leaves it time on a machine under load: ms. */
const lifetime = 60_000

/**
 * Short-lived files with variables for a container, which an engine's CLI reads with `--env-file`. Only this user can
 * read them.
 */
export class EnvFiles {
  readonly #folder: string
  readonly #lifetime: number
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(folder: string, lifetimeMs = lifetime) {
    this.#folder = folder
    this.#lifetime = lifetimeMs
  }

  /** Writes variables to a new file and returns its path; the file is deleted a minute later. */
  write(variables: Readonly<Record<string, string>>): string {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const file = join(this.#folder, randomBytes(12).toString('hex'))
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(file, lines.join(''), { mode: 0o600, flag: 'wx' })
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      rmSync(file, { force: true })
    }, this.#lifetime)
    timer.unref()
    this.#timers.add(timer)
    return file
  }

  /** Deletes all files; at the start of the daemon also those that a killed one left behind. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
