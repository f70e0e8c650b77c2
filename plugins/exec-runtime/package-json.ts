import { join } from 'node:path'
import { readTextFile } from '../../kernel/contract/plugin.ts'
import { fieldOf, isRecord, parseJson } from '../lib/json.ts'

/** A parsed package.json. */
export type PackageJson = Readonly<Record<string, unknown>>

/** The scripts of a package.json, by name. */
export type Scripts = Readonly<Record<string, string>>

/** Reads the package.json of a folder; undefined where there is none that can be read. */
export async function readPackageJson(folder: string): Promise<PackageJson | undefined> {
  const file = await readTextFile(join(folder, 'package.json'))
  if (file === undefined || 'fault' in file) return undefined
  const content = parseJson(file.text)
  return isRecord(content) ? content : undefined
}

/** Returns the scripts of a package.json. */
export function scriptsOf(content: PackageJson | undefined): Scripts {
  const scripts = fieldOf(content, 'scripts')
  if (!isRecord(scripts)) return {}
  return Object.fromEntries(
    Object.entries(scripts).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
  )
}
