import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A container that was started, and whose end no daemon has seen. */
export interface Claim {
  readonly container: string
  /** The name of its engine. */
  readonly engine: string
}

/**
 * Which containers this data folder's daemon has started: a file for each, from before its start until after its
 * removal. A daemon that is killed in between leaves a container that no record names, and that holds its ports.
 */
export class Claims {
  readonly #folder: string

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'containers', 'started')
  }

  async add({ container, engine }: Claim): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await writeFile(join(this.#folder, container), engine, { mode: 0o600 })
  }

  async remove(container: string): Promise<void> {
    await rm(join(this.#folder, container), { force: true })
  }

  async list(): Promise<readonly Claim[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const read = async (container: string) => ({
      container,
      engine: await readFile(join(this.#folder, container), 'utf8').catch(() => ''),
    })
    return await Promise.all(names.map(read))
  }
}
