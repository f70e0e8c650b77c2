import type { Catalog } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { BodyView, ExchangeDetail, ExchangeView, ReplayBody } from '../provides.ts'
import type { Entry } from './entry.ts'
import type { Recorder } from './recorder.ts'
import { type ReplayParts, replay } from './replay.ts'
import { type ExchangeQuery, filterOf, latestOf } from './view/filter.ts'
import { Masker } from './view/mask.ts'
import { detailOf, rowsOf } from './view/views.ts'

/** The values of `.env` files are read again after this. ms */
const secretsMs = 2000
/** Bodies that are shown at once, in UTF-16 units; the one that exceeds it is the last. */
const detailsLimit = 32 * 1024 * 1024

/** How secrets are shown. */
export interface Shown {
  readonly reveal?: boolean | undefined
  /** What stands in the place of a secret. */
  readonly mask?: string
}

/** Reads what the recorder keeps, as others may see it. */
export class Inspector {
  readonly #recorder: Recorder
  readonly #catalog: Catalog
  readonly #replays: () => ReplayParts
  readonly #secrets = new Map<string, { readonly at: number; readonly values: readonly string[] }>()

  constructor(recorder: Recorder, catalog: Catalog, replays: () => ReplayParts) {
    this.#recorder = recorder
    this.#catalog = catalog
    this.#replays = replays
  }

  /** Returns the latest exchanges that fit, the oldest first. */
  async list(query: ExchangeQuery & { readonly tail?: number | undefined }): Promise<ExchangeView[]> {
    const fits = filterOf(query)
    return latestOf((await this.rows(this.#recorder.list())).filter(fits), query.tail)
  }

  /** Returns rows of entries, masked. */
  async rows(entries: readonly Entry[], shown: Shown = {}): Promise<ExchangeView[]> {
    const masker = await this.#maskers(entries, shown)
    return rowsOf(entries, this.#recorder.list(), { masker, idOf: entry => this.#recorder.idOf(entry) })
  }

  async detail(id: string, shown: Shown = {}): Promise<ExchangeDetail> {
    const [detail] = await this.details([this.find(id)], shown)
    if (detail === undefined) throw unknown(id)
    return detail
  }

  async details(entries: readonly Entry[], shown: Shown = {}): Promise<ExchangeDetail[]> {
    const masker = await this.#maskers(entries, shown)
    const rows = await this.rows(entries, shown)
    const found: ExchangeDetail[] = []
    let room = detailsLimit
    // One after the other: a compressed body may be a thousand times as large when it is shown.
    for (const [index, entry] of entries.entries()) {
      const row = rows[index]
      if (row === undefined) continue
      const parts = { row, masker: masker(), isMasked: shown.reveal !== true, hasRoom: room > 0 }
      const detail = await detailOf(entry, parts)
      room -= sizeOf(detail.requestBody) + sizeOf(detail.responseBody)
      found.push(detail)
    }
    return found
  }

  async replay(id: string, changes: ReplayBody): Promise<ExchangeView> {
    const entry = await replay(this.#replays(), this.find(id), changes)
    const [row] = await this.rows([entry])
    if (row === undefined) throw unknown(id)
    return row
  }

  /** Throws UNKNOWN_REQUEST. */
  find(id: string): Entry {
    const entry = this.#recorder.find(id)
    if (entry === undefined) throw unknown(id)
    return entry
  }

  /** All projects' secrets: a request of one may carry those of another. */
  async #maskers(entries: readonly Entry[], { reveal = false, mask }: Shown): Promise<() => Masker> {
    const projects = entries.length === 0 ? [] : this.#catalog.projects().map(({ name }) => name)
    const values = reveal ? [] : (await Promise.all(projects.map(name => this.#secretsOf(name)))).flat()
    const masker = new Masker(values, { isOff: reveal, ...(mask === undefined ? {} : { shown: mask }) })
    return () => masker
  }

  async #secretsOf(project: string): Promise<readonly string[]> {
    const known = this.#secrets.get(project)
    if (known !== undefined && performance.now() - known.at < secretsMs) return known.values
    const values = await this.#catalog.secrets(project)
    this.#secrets.set(project, { at: performance.now(), values })
    return values
  }
}

function sizeOf({ text, base64 }: BodyView): number {
  return (text ?? base64 ?? '').length
}

function unknown(id: string): LocaldError {
  return new LocaldError('UNKNOWN_REQUEST', `request '${id}' is not recorded`, {
    hint: 'Run `locald requests` for the recorded ones: only the latest are kept, and none of an earlier daemon.',
  })
}
