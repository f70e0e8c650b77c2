import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder with package.json; these files run in build/test/kernel. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** A TypeScript file, by its path below the root. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** An import of a file: as written, and the path below the root where it is a relative one. */
export interface Import {
  readonly specifier: string
  readonly path: string | undefined
  /** Nothing of it is left at run time. */
  readonly isType: boolean
}

/** All TypeScript files of a room, sorted. */
export function sourcesOf(room: string): readonly Source[] {
  const names = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
  return names
    .filter(name => /\.tsx?$/.test(name))
    .sort()
    .map(name => ({ file: join(room, name), text: readFileSync(join(root, room, name), 'utf8') }))
}

/** The text without its comments; what is in strings stays. */
export function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
}

const statement =
  /^(?:import|export)\s+(type\s)?([^'"();]*?)\sfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm

export function importsOf({ file, text }: Source): readonly Import[] {
  return [...code(text).matchAll(statement)].map(([, type, names = '', from, bare, dynamic]) => {
    const specifier = from ?? bare ?? dynamic ?? ''
    const listed = /^\{([\s\S]*)\}$/
      .exec(names.trim())?.[1]
      ?.split(',')
      .map(name => name.trim())
      .filter(Boolean)
    const isType =
      type !== undefined || (listed !== undefined && listed.length > 0 && listed.every(name => /^type\s/.test(name)))
    const path = specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : undefined
    return { specifier, path, isType }
  })
}
