import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** A file of the web app as it is sent. */
export interface Asset {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A file in memory, as compressed when it was built. */
interface Stored {
  /** By content coding; '' is the file itself. */
  readonly bodies: ReadonlyMap<Coding, Buffer>
  readonly headers: Readonly<Record<string, string>>
}

type Coding = 'br' | 'gzip' | ''

const codings: readonly (readonly [extension: string, coding: Coding])[] = [
  ['.br', 'br'],
  ['.gz', 'gzip'],
]
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
}
/** A name with the hash of its content, as esbuild makes it. */
const hashed = /-[A-Z0-9]{8}\.[a-z]+$/

/**
 * The files of the web app. All are read at the first request, so that an update under the daemon cannot mix two
 * versions.
 */
export class Assets {
  readonly #folder: string
  #files: ReadonlyMap<string, Stored> | undefined

  constructor(folder: string = join(packageFolder(import.meta.dirname), 'dist', 'web')) {
    this.#folder = folder
  }

  /** Returns the file at a path such as `/index.html`, in a coding that the client accepts. */
  find(path: string, accepted: string | undefined): Asset | undefined {
    this.#files ??= readAll(this.#folder)
    const stored = this.#files.get(path)
    if (stored === undefined) return undefined
    const offered = codings.find(([, coding]) => stored.bodies.has(coding) && accepts(accepted, coding))
    const coding = offered?.[1] ?? ''
    const body = stored.bodies.get(coding) ?? plainOf(stored)
    if (body === undefined) return undefined
    return { body, headers: coding === '' ? stored.headers : { ...stored.headers, 'Content-Encoding': coding } }
  }
}

/** The folder with package.json, above the one that the running code was built into. */
function packageFolder(folder: string): string {
  return ['build', 'dist'].includes(basename(folder)) ? dirname(folder) : packageFolder(dirname(folder))
}

function readAll(folder: string): ReadonlyMap<string, Stored> {
  const found = new Map<string, Map<Coding, Buffer>>()
  for (const file of listFiles(folder)) {
    const [extension, coding] = codings.find(([end]) => file.endsWith(end)) ?? ['', '' as const]
    const path = `/${relative(folder, file).split(sep).join('/')}`
    const plain = path.slice(0, path.length - extension.length)
    const bodies = found.get(plain) ?? new Map<Coding, Buffer>()
    bodies.set(coding, readFileSync(file))
    found.set(plain, bodies)
  }
  for (const bodies of found.values()) if (bodies.has('gzip')) bodies.delete('')
  return new Map([...found].map(([path, bodies]) => [path, { bodies, headers: headersOf(path) }]))
}

function listFiles(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries.flatMap(entry => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []))
  } catch {
    // A build without the web app.
    return []
  }
}

function headersOf(path: string): Readonly<Record<string, string>> {
  const caching = hashed.test(path) ? 'public, max-age=31536000, immutable' : 'no-store'
  const type = types[extname(path)] ?? 'application/octet-stream'
  return { 'Content-Type': type, 'Cache-Control': caching, Vary: 'Accept-Encoding' }
}

/** Few clients accept no coding, so the file itself is not kept beside its compressed forms. */
function plainOf({ bodies }: Stored): Buffer | undefined {
  const gzip = bodies.get('gzip')
  return gzip === undefined ? undefined : gunzipSync(gzip)
}

function accepts(accepted: string | undefined, coding: Coding): boolean {
  const tokens = (accepted ?? '').toLowerCase().split(',')
  return tokens.some(token => {
    const [name = '', weight = ''] = token.split(';').map(part => part.trim())
    return name === coding && !/^q=0(\.0*)?$/.test(weight)
  })
}
