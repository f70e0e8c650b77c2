import type { Problem } from '../../../kernel/errors.ts'
import type { Place } from './node.ts'

/**
 * What the translation has to say about a key. `refused`: nothing can be written. `dropped`: the key has no counterpart.
 * `changed`: it was written, but differs from what compose does.
 */
export type FindingKind = 'refused' | 'dropped' | 'changed'

export interface Finding {
  readonly kind: FindingKind
  /** Dotted: `services.web.cap_add`. */
  readonly key: string
  /** The consequence. */
  readonly message: string
  readonly at: Place
}

/** Collects all findings of a translation: they are shown at once. */
export class Findings {
  readonly #list: Finding[] = []

  add(kind: FindingKind, key: string, message: string, at: Place): void {
    const isKnown = this.#list.some(
      it => it.key === key && it.message === message && it.at.line === at.line && it.at.file === at.file,
    )
    if (!isKnown) this.#list.push({ kind, key, message, at })
  }

  /** Adds the findings of a service that is written as a comment: nothing of it stops the translation. */
  addInactive(others: Findings): void {
    for (const { key, message, at } of others.refused) this.add('dropped', key, message, at)
  }

  addAll(others: Findings): void {
    for (const { kind, key, message, at } of others.#list) this.add(kind, key, message, at)
  }

  get refused(): readonly Finding[] {
    return this.#of('refused')
  }

  get dropped(): readonly Finding[] {
    return this.#of('dropped')
  }

  get changed(): readonly Finding[] {
    return this.#of('changed')
  }

  /** Returns the refusals as the problems of an error. */
  get problems(): readonly Problem[] {
    return this.refused.map(({ key, message, at }) => ({ message, key, file: at.file, line: at.line }))
  }

  /** In the order of file and line. */
  #of(kind: FindingKind): readonly Finding[] {
    const found = this.#list.filter(it => it.kind === kind)
    const files = [...new Set(this.#list.map(({ at }) => at.file))]
    return found.sort((a, b) => files.indexOf(a.at.file) - files.indexOf(b.at.file) || a.at.line - b.at.line)
  }
}
