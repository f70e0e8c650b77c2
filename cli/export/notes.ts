import type { ConfigValue } from '../../kernel/protocol.ts'

/** What an export has to say about a key. `dropped`: it is not in the output; `changed`: it is, in another way. */
export interface Note {
  readonly kind: 'dropped' | 'changed'
  /** Dotted: `services.web.watch`. */
  readonly key: string
  /** The consequence. Never a value. */
  readonly message: string
  /** Null for what is written nowhere. */
  readonly file: string | null
  readonly line: number | null
}

/** Collects the notes of an export; each knows where its key was written. */
export class Notes {
  readonly #values: readonly ConfigValue[]
  readonly #list: Note[] = []

  constructor(values: readonly ConfigValue[]) {
    this.#values = values
  }

  dropped(key: string, message: string): void {
    this.#add('dropped', key, message)
  }

  changed(key: string, message: string): void {
    this.#add('changed', key, message)
  }

  /** In the order of the lines. */
  get list(): readonly Note[] {
    return [...this.#list].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  }

  #add(kind: Note['kind'], key: string, message: string): void {
    if (this.#list.some(note => note.key === key && note.message === message)) return
    const value =
      this.#values.find(each => each.key === key) ??
      this.#values.find(each => each.file !== null && each.key.startsWith(`${key}.`))
    this.#list.push({ kind, key, message, file: value?.file ?? null, line: value?.line ?? null })
  }
}
