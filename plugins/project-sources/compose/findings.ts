import type { Finding, Place } from '../../../kernel/contract/plugin.ts'
import type { Problem } from '../../../kernel/errors.ts'

/**
 * What the translation has to say about a key. `refused`: nothing can be written. `dropped`: the key has no counterpart.
 * `changed`: it was written, but differs from what compose does.
 */
export type FindingKind = 'refused' | 'dropped' | 'changed'

interface Noted extends Finding {
  readonly kind: FindingKind
}

/** Collects all findings of a translation: they are shown at once. */
export class Findings {
  /** By all that they say: nothing is listed twice. */
  readonly #list = new Map<string, Noted>()

  add(kind: FindingKind, key: string, message: string, at: Place): void {
    const identity = JSON.stringify([key, message, at.line, at.file])
    if (!this.#list.has(identity)) this.#list.set(identity, { kind, key, message, at })
  }

  /** Adds the findings of a service that is written as a comment: nothing of it stops the translation. */
  addInactive(others: Findings): void {
    for (const { key, message, at } of others.refused) this.add('dropped', key, message, at)
  }

  addAll(others: Findings): void {
    for (const { kind, key, message, at } of others.#list.values()) this.add(kind, key, message, at)
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
    const all = [...this.#list.values()]
    const found = all.flatMap(({ kind: its, ...finding }) => (its === kind ? [finding] : []))
    const files = [...new Set(all.map(({ at }) => at.file))]
    return found.sort((a, b) => files.indexOf(a.at.file) - files.indexOf(b.at.file) || a.at.line - b.at.line)
  }
}
