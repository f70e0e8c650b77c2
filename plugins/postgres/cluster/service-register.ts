import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Run } from '../../../kernel/contract/plugin.ts'
import { readJson, writeAtomic } from '../../lib/files.ts'
import type { PostgresOptions } from '../options.ts'

/** A service that was prepared once: what commands need while its project is stopped. */
export interface ServiceEntry {
  readonly key: string
  readonly name: string
  /** The project's folder. */
  readonly path: string
  /** The service's data folder. */
  readonly data: string
  /** git's folder for the linked worktree that the project is in; null outside of one. */
  readonly worktree: string | null
  /** When git created it, ms since the epoch; null when unknown. */
  readonly worktreeMadeMs: number | null
  /** From its latest configuration. */
  readonly version: string | null
  readonly database: string
  readonly extensions: readonly string[]
}

/** The services of the type that have data, on disk. */
export class ServiceRegister {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Stores a service. Returns true, once, when the data is that of an earlier worktree in the same folder. */
  async record(run: Run<PostgresOptions>): Promise<boolean> {
    const { databases, extensions, version } = run.options
    const worktree = run.project.worktree?.gitDir ?? null
    const entry: ServiceEntry = {
      key: run.key,
      name: run.name,
      path: run.project.path,
      data: run.data,
      worktree,
      worktreeMadeMs: worktree === null ? null : creationTimeOf(worktree),
      version: version ?? null,
      database: databases[0] ?? 'postgres',
      extensions,
    }
    const file = this.#file(run.data)
    const before = await readJson(file)
    if (JSON.stringify(before) === JSON.stringify(entry)) return false
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    writeAtomic(file, JSON.stringify(entry))
    const madeMs = isEntry(before) ? before.worktreeMadeMs : null
    return typeof madeMs === 'number' && entry.worktreeMadeMs !== null && madeMs !== entry.worktreeMadeMs
  }

  forget({ data }: ServiceEntry): void {
    rmSync(this.#file(data), { force: true })
  }

  async all(): Promise<readonly ServiceEntry[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const values = await Promise.all(names.sort().map(name => readJson(join(this.#folder, name))))
    return values.filter(isEntry)
  }

  /** Returns the services of the project in a folder. */
  async at(folder: string): Promise<readonly ServiceEntry[]> {
    return (await this.all()).filter(({ path }) => path === folder)
  }

  #file(data: string): string {
    return join(this.#folder, `${createHash('sha256').update(data).digest('hex').slice(0, 16)}.json`)
  }
}

/** Returns the folder in which git has a linked worktree, after `git worktree move` the new one; empty: unknown. */
function checkoutOf(worktree: string): string {
  try {
    const link = readFileSync(join(worktree, 'gitdir'), 'utf8').trim()
    return link === '' ? '' : dirname(resolve(worktree, link))
  } catch {
    return ''
  }
}

/**
 * Returns whether the project's folder exists, was moved with its git worktree, or may exist again: locked git worktrees are on removable drives, and
 * where the whole repository is missing its drive may be unmounted.
 */
export function hasFolder({ path, worktree }: ServiceEntry): boolean {
  if (existsSync(path)) return true
  if (typeof worktree !== 'string') return false
  return (
    existsSync(join(worktree, 'locked')) || !existsSync(dirname(dirname(worktree))) || existsSync(checkoutOf(worktree))
  )
}

function isEntry(value: unknown): value is ServiceEntry {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['key', 'name', 'path', 'data', 'database'].every(key => typeof Reflect.get(value, key) === 'string')
  return texts && Array.isArray(Reflect.get(value, 'extensions'))
}

/**
 * Returns when git's folder for a worktree was created, ms since the epoch; null when the file system does not record
 * it.
 */
function creationTimeOf(worktree: string): number | null {
  try {
    const { birthtimeMs, ctimeMs } = statSync(worktree)
    // File systems without it return another time, or 0.
    return birthtimeMs > 0 && birthtimeMs !== ctimeMs ? birthtimeMs : null
  } catch {
    return null
  }
}
