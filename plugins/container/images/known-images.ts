import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord } from '../../lib/json.ts'
import { tryEngine } from '../calls/run-engine.ts'
import type { Engine } from '../provides.ts'
import { type ImageFacts, imageFacts } from './facts.ts'

/** Facts of an image, and the state of the engine's list of images when they were read. */
interface Known {
  readonly facts: ImageFacts
  readonly stamp: string
}

/**
 * What images say about themselves. Asking the engine takes as long as a fifth of a start; while the file in which
 * podman lists its images is the same, so are they.
 */
export class KnownImages {
  readonly #known = new Map<string, Known>()
  /** Where an engine lists its images, by its name; undefined where that is not known. */
  readonly #lists = new Map<string, Promise<string | undefined>>()

  /** Returns an image's facts; undefined where the engine does not have it. */
  async get(engine: Engine, image: string, signal?: AbortSignal): Promise<ImageFacts | undefined> {
    const key = `${engine.name} ${image}`
    const stamp = await this.#stamp(engine)
    const known = this.#known.get(key)
    if (known !== undefined && known.stamp === stamp) return known.facts
    const facts = await imageFacts(engine, image, signal)
    if (facts === undefined || stamp === undefined) this.#known.delete(key)
    else this.#known.set(key, { facts, stamp })
    return facts
  }

  /** Returns what changes with every change of the engine's images; undefined where nothing shows it. */
  async #stamp(engine: Engine): Promise<string | undefined> {
    if (engine.dialect !== 'podman' || !engine.isNative) return undefined
    const list = this.#lists.get(engine.name) ?? listOf(engine)
    this.#lists.set(engine.name, list)
    const file = await list
    if (file === undefined) return undefined
    const found = await stat(file, { bigint: true }).catch(() => undefined)
    return found === undefined ? undefined : `${found.ino} ${found.size} ${found.mtimeNs}`
  }
}

/** Returns the file in which podman lists its images (containers/storage: `<driver>-images/images.json`). */
async function listOf(engine: Engine): Promise<string | undefined> {
  const { code, stdout } = await tryEngine(engine, ['info', '--format', '{{json .Store}}'])
  if (code !== 0) return undefined
  const store: unknown = JSON.parse(stdout)
  if (!isRecord(store)) return undefined
  const { graphRoot, graphDriverName } = store
  if (typeof graphRoot !== 'string' || typeof graphDriverName !== 'string') return undefined
  return join(graphRoot, `${graphDriverName}-images`, 'images.json')
}
