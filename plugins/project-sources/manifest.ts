import type { ProjectFolder } from '../../kernel/contract/plugin.ts'
import { fieldOf, isRecord, textOf } from '../lib/json.ts'
import { lineLimit } from './command-line.ts'
import { parseJsonFile } from './json-file.ts'

/** What a package.json says, as far as it is known here. */
export interface Manifest {
  /** The folder of the file, relative to the project. */
  readonly dir: string
  readonly name: string | undefined
  readonly scripts: Readonly<Record<string, string>>
  /** Names of all that it depends on. */
  readonly dependencies: ReadonlySet<string>
  /** The parsed file. */
  readonly content: unknown
}

const dependencyKeys = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']

/** Reads the package.json of a folder of the project; undefined where there is none. */
export async function readManifest(folder: ProjectFolder, dir = '.'): Promise<Manifest | undefined> {
  const file = dir === '.' ? 'package.json' : `${dir}/package.json`
  const text = await folder.read(file)
  if (text === undefined) return undefined
  const content = await parseJsonFile(file, text)
  const scripts = fieldOf(content, 'scripts')
  const dependencies = dependencyKeys.flatMap(key => {
    const table = fieldOf(content, key)
    return isRecord(table) ? Object.keys(table) : []
  })
  return {
    ...{ dir, content, name: textOf(content, 'name') },
    scripts: isRecord(scripts) ? textsOf(scripts) : {},
    dependencies: new Set(dependencies),
  }
}

/** Scripts that start what is developed, the best one first. */
export const scriptNames = ['dev', 'develop', 'start:dev', 'start', 'serve'] as const

/** Returns the text of a script; the names of objects' own functions are names like any other. */
export function scriptOf({ scripts }: Manifest, name: string): string | undefined {
  return Object.hasOwn(scripts, name) ? scripts[name] : undefined
}

/** Returns the beginning of what a command runs in the end, where it only runs another script of the package: `npm run dev:all`. */
export function resolveScript(manifest: Manifest, command: string, depth = 5): string {
  const [, name] = /^\s*(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?([\w:.-]+)\s*$/.exec(command) ?? []
  const script = name === undefined ? undefined : scriptOf(manifest, name)
  return script === undefined || depth === 0 ? command.slice(0, lineLimit) : resolveScript(manifest, script, depth - 1)
}

function textsOf(table: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, value]) =>
      typeof value === 'string' && value.trim() !== '' ? [[name, value]] : [],
    ),
  )
}
