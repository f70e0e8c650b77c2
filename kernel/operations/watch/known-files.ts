import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { contentSignature, signatureOf } from '../../system/file-signature.ts'
import { isBelowAny } from './subpath.ts'

/** The files that matter, as seen last, and which have changed since they were taken. */
export class KnownFiles {
  readonly #byContent: boolean
  readonly #signatures = new Map<string, string>()
  readonly #changed = new Set<string>()

  /** @param byContent whether the content counts; otherwise the time of change and what else `stat` shows */
  constructor(byContent: boolean) {
    this.#byContent = byContent
  }

  /** A hash of all files. */
  get signature(): string {
    const hash = createHash('sha1')
    for (const file of [...this.#signatures.keys()].sort()) hash.update(`${file}\0${this.#signatures.get(file)}\n`)
    return hash.digest('hex')
  }

  /** Compares a file that is there with what was seen last. */
  async compare(file: string, stats: Stats): Promise<void> {
    const signature = this.#byContent ? await contentSignature(file, stats) : signatureOf(stats)
    if (this.#signatures.get(file) !== signature) this.#changed.add(file)
    this.#signatures.set(file, signature)
  }

  /** Forgets the files at and below the paths that were not seen: they have changed. */
  forgetUnseen(paths: ReadonlySet<string>, seen: ReadonlySet<string>): void {
    for (const file of this.#signatures.keys()) {
      if (seen.has(file) || !(paths.has(file) || isBelowAny(file, paths))) continue
      this.#signatures.delete(file)
      this.#changed.add(file)
    }
  }

  /** Returns the files that have changed since the last call. */
  takeChanged(): readonly string[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }
}
