import type { ProjectFolder } from '../../kernel/contract/plugin.ts'
import { fieldOf } from '../lib/json.ts'
import { faultIn } from './fault.ts'
import { isTooDeep } from './yaml-depth.ts'

/** Where the folders of a project's packages are. */
export interface WorkspacePatterns {
  /** The file that has them. */
  readonly file: string
  /** Globs of folders; those with `!` exclude. */
  readonly patterns: readonly string[]
}

/** Reads the patterns of pnpm-workspace.yaml, else of `workspaces` in package.json; undefined without any. */
export async function readPatterns(folder: ProjectFolder, manifest: unknown): Promise<WorkspacePatterns | undefined> {
  const yaml = await folder.read('pnpm-workspace.yaml')
  const ofPnpm = yaml === undefined ? [] : textsIn(fieldOf(await parseYaml('pnpm-workspace.yaml', yaml), 'packages'))
  if (ofPnpm.length > 0) return { file: 'pnpm-workspace.yaml', patterns: ofPnpm }
  const workspaces = fieldOf(manifest, 'workspaces')
  const patterns = textsIn(Array.isArray(workspaces) ? workspaces : fieldOf(workspaces, 'packages'))
  return patterns.length === 0 ? undefined : { file: 'package.json', patterns }
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string' && one !== '') : []
}

/** Characters: the parser is slow. */
const yamlLimit = 64 * 1024

async function parseYaml(file: string, text: string): Promise<unknown> {
  if (text.length > yamlLimit) throw faultIn(file, `is larger than ${yamlLimit / 1024} KiB`)
  if (isTooDeep(text)) throw faultIn(file, 'is not valid YAML')
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) throw faultIn(file, 'is not valid YAML', error.linePos?.[0].line)
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    throw faultIn(file, 'is not valid YAML')
  }
}

/** Folders that are listed in a search and that match, all patterns together. */
const [folderLimit, matchLimit] = [2000, 5000]
/** Patterns that are read. */
const patternLimit = 100
/** How far below its fixed part a `**` is followed. */
const depthLimit = 5
/** Folders that are no package of the project's own. */
const skipped = /^(?:node_modules|bower_components|\..*)$/

/** Folders that match, sorted; `isWhole` is false where a limit was met. */
export interface PackageFolders {
  readonly folders: readonly string[]
  readonly isWhole: boolean
}

/**
 * Finds the folders of the patterns. It follows no links, skips dependencies and hidden folders, and ignores patterns
 * that lead out of the project.
 */
export async function findPackageFolders(folder: ProjectFolder, patterns: readonly string[]): Promise<PackageFolders> {
  const { default: picomatch } = await import('picomatch')
  const found = new Set<string>()
  let left = folderLimit
  const walk = async (at: string, depth: number, isMatch: (path: string) => boolean): Promise<void> => {
    if (isMatch(at)) found.add(at)
    if (found.size >= matchLimit) left = 0
    if (depth === 0 || left === 0) return
    left--
    for (const { name, kind } of await folder.list(at))
      if (kind === 'folder' && !skipped.test(name)) await walk(at === '.' ? name : `${at}/${name}`, depth - 1, isMatch)
  }
  const plain = patterns.slice(0, patternLimit).map(written => ({
    isExclusion: written.startsWith('!'),
    glob:
      written
        .replace(/^!/, '')
        .replace(/^(?:\.\/)+/, '')
        .replace(/\/+$/, '') || '.',
  }))
  for (const { glob } of plain.filter(it => !it.isExclusion && isPlain(it.glob))) {
    const { base, glob: rest } = picomatch.scan(glob)
    const depth = rest === '' ? 0 : rest.includes('**') ? depthLimit : rest.split('/').length
    await walk(base === '' ? '.' : base, depth, picomatch(glob))
  }
  for (const { glob } of plain.filter(it => it.isExclusion && isPlain(it.glob))) {
    const isOut = picomatch(glob)
    for (const path of found) if (isOut(path)) found.delete(path)
  }
  return { folders: [...found].sort(), isWhole: left > 0 }
}

/**
 * Returns whether a pattern stays in the project, and is one as people write them: others, with groups or many
 * wildcards, could take a regular expression for ever.
 */
function isPlain(glob: string): boolean {
  const parts = glob.split('/')
  const isShort =
    parts.every(part => (part.match(/\*/g)?.length ?? 0) <= 3) && parts.filter(it => it === '**').length <= 2
  return isShort && !glob.startsWith('/') && !parts.includes('..') && /^[\p{L}\p{N}@ ._*?{},/-]{1,200}$/u.test(glob)
}
