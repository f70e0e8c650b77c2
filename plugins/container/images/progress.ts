/** How far a pull is: layers. */
export interface PullProgress {
  readonly done: number
  readonly total: number
}

const started = /^Copying blob (?:sha256:)?([0-9a-f]{12,})|^([0-9a-f]{12}): (?:Pulling fs layer|Waiting|Downloading)/
const finished =
  /^Copying blob (?:sha256:)?([0-9a-f]{12,}).*(?:done|already exists|skipped)|^([0-9a-f]{12}): (?:Pull complete|Already exists)/
const last = /^Copying config|^Writing manifest|^Digest:/

/** Counts the layers of a pull from the lines that podman or docker print without a terminal. */
export class PullCounter {
  readonly #started = new Set<string>()
  readonly #finished = new Set<string>()

  /** Returns the progress after a line, where it has changed. */
  push(line: string): PullProgress | undefined {
    const before = this.#started.size + this.#finished.size
    note(this.#started, started.exec(line))
    note(this.#finished, finished.exec(line))
    // podman does not say when a blob has arrived; the configuration comes after all of them.
    if (last.test(line)) for (const each of this.#started) this.#finished.add(each)
    for (const each of this.#finished) this.#started.add(each)
    const now = this.#started.size + this.#finished.size
    return now === before ? undefined : { done: this.#finished.size, total: this.#started.size }
  }
}

function note(layers: Set<string>, match: RegExpExecArray | null): void {
  const id = match?.[1] ?? match?.[2]
  if (id !== undefined) layers.add(id.slice(0, 12))
}
