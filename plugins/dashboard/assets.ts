import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Log } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { fieldOf, parseJson, textOf } from '../lib/json.ts'

/** A file of the web app as it is sent. */
export interface Asset {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A file in memory, as compressed when it was built. */
interface Stored {
  readonly br: Buffer
  readonly gzip: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The files of the web app, as its manifest lists them. All are read at the first request, so that an update under the
 * daemon cannot mix two versions.
 */
export class Assets {
  readonly #folder: string
  readonly #log: Log
  #files: ReadonlyMap<string, Stored> | undefined

  /** @param folder tests replace the one that the build writes */
  constructor(log: Log, folder: string = join(packageFolder(import.meta.dirname), 'dist', 'web')) {
    this.#folder = folder
    this.#log = log
  }

  /** Returns the file at a path such as `/index.html`, in the best coding that the client accepts. */
  find(path: string, accepted: string | undefined): Asset | undefined {
    this.#files ??= this.#readAll()
    const stored = this.#files.get(path)
    if (stored === undefined) return undefined
    const coding = (['br', 'gzip'] as const).find(each => accepts(accepted, each))
    // Few clients accept neither, so the file itself is not kept.
    if (coding === undefined) return { body: gunzipSync(stored.gzip), headers: stored.headers }
    return { body: stored[coding], headers: { ...stored.headers, 'Content-Encoding': coding } }
  }

  #readAll(): ReadonlyMap<string, Stored> {
    try {
      const files = fieldOf(parseJson(readFileSync(join(this.#folder, 'manifest.json'), 'utf8')), 'files')
      return new Map(Array.isArray(files) ? files.flatMap(each => this.#read(each)) : [])
    } catch (error) {
      this.#log.error(`the web app of the dashboard is missing: ${messageOf(error)}`)
      return new Map()
    }
  }

  #read(entry: unknown): readonly (readonly [string, Stored])[] {
    const path = textOf(entry, 'path')
    const type = textOf(entry, 'type')
    if (path === undefined || type === undefined) return []
    const caching = fieldOf(entry, 'isImmutable') === true ? 'public, max-age=31536000, immutable' : 'no-store'
    const headers = { 'Content-Type': type, 'Cache-Control': caching, Vary: 'Accept-Encoding' }
    const file = join(this.#folder, path)
    return [[path, { br: readFileSync(`${file}.br`), gzip: readFileSync(`${file}.gz`), headers }]]
  }
}

/** Returns the folder with package.json, above the one that the running code was built into. */
function packageFolder(folder: string): string {
  return ['build', 'dist'].includes(basename(folder)) ? dirname(folder) : packageFolder(dirname(folder))
}

function accepts(accepted: string | undefined, coding: string): boolean {
  const tokens = (accepted ?? '').toLowerCase().split(',')
  return tokens.some(token => {
    const [name = '', weight = ''] = token.split(';').map(part => part.trim())
    return name === coding && !/^q=0(\.0*)?$/.test(weight)
  })
}
