import { randomBytes } from 'node:crypto'
import { lstat, readdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pluginApi } from '../contract/plugin.ts'
import { LocaldError, messageOf, systemCode } from '../errors.ts'
import { readTextFile } from '../lib/text-file.ts'
import { builtFolder, packageFolder } from '../system/package.ts'

/** A plugin that was found; none of its code has run yet. */
export interface FoundPlugin {
  /** The package's name: `locald-plugin-redis`. */
  readonly name: string
  readonly version: string
  readonly from: 'built-in' | 'npm'
  /** Service types its manifest announces, so that a refusal can name a plugin that is off. */
  readonly types: readonly string[]
  /** The top-level table of config.toml with its options, in place of `[plugins.<name>]`. */
  readonly table?: string
  readonly platforms?: readonly string[]
  /** Why it cannot be loaded. */
  readonly broken?: LocaldError
  /** Its module. */
  load(): Promise<unknown>
}

/** An entry of the list of what ships: `plugins/index.ts`. */
export interface BuiltIn {
  readonly name: string
  readonly types: readonly string[]
  readonly table?: string
  readonly platforms?: readonly NodeJS.Platform[]
  load(): Promise<unknown>
}

/** Loads the list of what ships, from a room whose files the kernel does not import. */
export async function importBuiltIns(): Promise<readonly BuiltIn[]> {
  const file = pathToFileURL(join(builtFolder, 'plugins', 'index.js'))
  const list: { default: readonly BuiltIn[] } = await import(file.href)
  return list.default
}

/** Describes built-in plugins in the same form as npm plugins, in the list's order. */
export function describeBuiltIns(list: readonly BuiltIn[], version: string): readonly FoundPlugin[] {
  return list.map(entry => ({ ...entry, version, from: 'built-in' as const }))
}

const pluginName = /^(?:@[^/]+\/)?locald-plugin-[^/]+$/

/**
 * Finds the npm packages in a folder's `node_modules` that are plugins: named `locald-plugin-*` (scoped or not), or
 * with a `locald` object in their package.json: `{ "api": 1, "types": ["redis"], "table": "redis", "platforms":
 * ["linux"] }`. Runs no code. Sorts them by name. If there are any, links this locald into the folder. Throws
 * PATHS_UNUSABLE where the folder cannot be read.
 */
export async function findNpmPlugins(folder: string): Promise<readonly FoundPlugin[]> {
  const root = join(folder, 'node_modules')
  const names: string[] = []
  for (const name of await entries(root)) {
    if (name.startsWith('@')) names.push(...(await entries(join(root, name))).map(inner => `${name}/${inner}`))
    else if (!name.startsWith('.')) names.push(name)
  }
  const found = await Promise.all(names.sort().map(name => readManifest(folder, name)))
  const plugins = found.filter(entry => entry !== undefined)
  if (plugins.length > 0) await linkPackage(folder)
  return plugins
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw new LocaldError('PATHS_UNUSABLE', `cannot read the folder of plugins: ${messageOf(error)}`, {
      hint: `Check the permissions of ${folder}.`,
      cause: error,
    })
  }
}

async function readManifest(folder: string, installedAs: string): Promise<FoundPlugin | undefined> {
  let manifest: unknown
  try {
    const read = await readTextFile(join(folder, 'node_modules', installedAs, 'package.json'))
    if (read === undefined || 'fault' in read) throw new Error(read?.fault ?? 'does not exist')
    manifest = JSON.parse(read.text)
  } catch (error) {
    if (!pluginName.test(installedAs)) return undefined
    const reason = `cannot read its package.json: ${messageOf(error)}`
    return unusable({ name: installedAs, version: '0.0.0', types: [] }, 'PLUGIN_IMPORT', reason)
  }
  const name = text(field(manifest, 'name')) ?? installedAs
  const version = text(field(manifest, 'version')) ?? '0.0.0'
  const declared = field(manifest, 'locald')
  if (typeof declared !== 'object' || declared === null) {
    if (!pluginName.test(name)) return undefined
    return unusable({ name, version, types: [] }, 'PLUGIN_API', "its package.json lacks the object 'locald'")
  }
  const types = names(field(declared, 'types'))
  const table = text(field(declared, 'table'))
  const known = { name, version, types: types ?? [], ...(table === undefined ? {} : { table }) }
  const api = field(declared, 'api')
  if (api !== pluginApi) return unusable(known, 'PLUGIN_API', formatApiMismatch(api))
  const platforms = names(field(declared, 'platforms'))
  if (types === undefined || platforms === undefined) {
    return unusable(known, 'PLUGIN_API', "'types' and 'platforms' of its package.json must be lists of names")
  }
  return {
    ...known,
    from: 'npm',
    ...(platforms.length === 0 ? {} : { platforms }),
    // Node's own rules of resolution, by a library, as Node offers them only for the importing module itself.
    load: async () => {
      const { resolve } = await import('import-meta-resolve')
      return import(resolve(installedAs, pathToFileURL(join(folder, 'package.json')).href))
    },
  }
}

/** Words the refusal of a plugin for another major of the contract. */
export function formatApiMismatch(api: unknown): string {
  return `requires plugin API ${String(api)}; this version provides ${pluginApi}`
}

function unusable(
  known: Pick<FoundPlugin, 'name' | 'version' | 'types' | 'table'>,
  code: 'PLUGIN_IMPORT' | 'PLUGIN_API',
  reason: string,
): FoundPlugin {
  const broken = new LocaldError(code, reason, { plugin: known.name })
  return { ...known, from: 'npm', broken, load: () => Promise.reject(broken) }
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return new Map<string, unknown>(Object.entries(value)).get(key)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Returns a list of names, empty where there is none; undefined for any other value. */
function names(value: unknown): readonly string[] | undefined {
  if (value === undefined) return []
  return Array.isArray(value) && value.every(item => typeof item === 'string') ? value : undefined
}

/**
 * Links `locald` in the plugins' folder to this package, so that plugins resolve `locald/plugin` without a second
 * locald beside them. An outdated link is replaced; a real folder of that name, which a user installed, is left as it
 * is.
 */
async function linkPackage(folder: string): Promise<void> {
  const link = join(folder, 'node_modules', 'locald')
  if ((await readTarget(link)) === packageFolder || (await isFolder(link))) return
  const temporary = `${link}.${randomBytes(4).toString('hex')}`
  try {
    await symlink(packageFolder, temporary, 'dir')
    await rename(temporary, link)
  } catch (error) {
    await rm(temporary, { force: true })
    // The import of a plugin that needs the link reports it; many do not.
    if (systemCode(error) === undefined) throw error
  }
}

async function readTarget(link: string): Promise<string | undefined> {
  return readlink(link).catch(() => undefined)
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true
}
