import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, systemCode } from './errors.ts'

/** A plugin that was found, before any of its code has run. */
export interface Found {
  readonly name: string
  readonly version: string
  readonly from: 'built-in' | 'npm'
  /** Service types its manifest announces, so that a refusal can name a plugin that is off. */
  readonly types: readonly string[]
  readonly platforms?: readonly NodeJS.Platform[]
  /** Why it cannot even be tried. */
  readonly broken?: string
  /** Its module. */
  load(): Promise<unknown>
}

/** An entry of the list of what ships: `plugins/index.ts`. */
export interface BuiltIn {
  readonly name: string
  readonly types: readonly string[]
  readonly platforms?: readonly NodeJS.Platform[]
  load(): Promise<unknown>
}

/** Built-in plugins as found ones, in the list's order. */
export function builtIns(list: readonly BuiltIn[], version: string): readonly Found[] {
  return list.map(entry => ({ ...entry, version, from: 'built-in' as const }))
}

const pluginName = /^(?:@[^/]+\/)?locald-plugin-[^/]+$/

/**
 * npm packages in a folder's `node_modules` that are plugins: named `locald-plugin-*` (scoped or not), or with a `locald`
 * object in their package.json: `{ "api": 1, "types": ["redis"], "platforms": ["linux"] }`. Runs no code. Sorted by name.
 */
export async function npmPlugins(folder: string): Promise<readonly Found[]> {
  const root = join(folder, 'node_modules')
  const names: string[] = []
  for (const name of await entries(root)) {
    if (name.startsWith('@')) names.push(...(await entries(join(root, name))).map(inner => `${name}/${inner}`))
    else if (!name.startsWith('.')) names.push(name)
  }
  const found = await Promise.all(names.sort().map(name => readManifest(join(root, name), name)))
  return found.filter(entry => entry !== undefined)
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  }
}

async function readManifest(folder: string, name: string): Promise<Found | undefined> {
  let manifest: unknown
  try {
    manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  } catch (error) {
    if (!pluginName.test(name)) return undefined
    return broken(name, '0.0.0', `its package.json cannot be read: ${messageOf(error)}`)
  }
  const version = text(field(manifest, 'version')) ?? '0.0.0'
  const declared = field(manifest, 'locald')
  if (typeof declared !== 'object' || declared === null) {
    return pluginName.test(name) ? broken(name, version, "its package.json has no 'locald' object") : undefined
  }
  const api = field(declared, 'api')
  if (api !== 1) return broken(name, version, `it is for plugin api ${String(api)}; this locald has api 1`)
  const main = entryOf(manifest)
  const platforms = strings(field(declared, 'platforms'))
  return {
    name,
    version,
    from: 'npm',
    types: strings(field(declared, 'types')) ?? [],
    ...(platforms === undefined ? {} : { platforms: platforms.filter(isPlatform) }),
    load: () => import(pathToFileURL(join(folder, main)).href),
  }
}

function broken(name: string, version: string, reason: string): Found {
  return { name, version, from: 'npm', types: [], broken: reason, load: () => Promise.reject(new Error(reason)) }
}

/** The package's entry: `exports` as a string, its `.`'s `import`/`default`, else `main`, else index.js. */
function entryOf(manifest: unknown): string {
  const exported = field(manifest, 'exports')
  const dot = typeof exported === 'object' ? (field(exported, '.') ?? exported) : exported
  const target = typeof dot === 'object' ? (field(dot, 'import') ?? field(dot, 'default')) : dot
  const leaf = typeof target === 'object' ? field(target, 'default') : target
  return text(leaf) ?? text(field(manifest, 'main')) ?? 'index.js'
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return new Map<string, unknown>(Object.entries(value)).get(key)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function strings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : undefined
}

function isPlatform(value: string): value is NodeJS.Platform {
  return value === 'linux' || value === 'darwin'
}
