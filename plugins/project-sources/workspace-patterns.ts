import type { ProjectFolder } from '../../kernel/contract/plugin.ts'
import { fieldOf } from '../lib/json.ts'
import { faultIn } from './fault.ts'

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

async function parseYaml(file: string, text: string): Promise<unknown> {
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

/** Folders that are listed in a search, all patterns together. */
const folderLimit = 2000
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
    if (depth === 0 || left === 0) return
    left--
    for (const { name, kind } of await folder.list(at))
      if (kind === 'folder' && !skipped.test(name)) await walk(at === '.' ? name : `${at}/${name}`, depth - 1, isMatch)
  }
  const plain = patterns.map(written => ({
    isExclusion: written.startsWith('!'),
    glob:
      written
        .replace(/^!/, '')
        .replace(/^(?:\.\/)+/, '')
        .replace(/\/+$/, '') || '.',
  }))
  for (const { glob } of plain.filter(it => !it.isExclusion && isInside(it.glob))) {
    const { base, glob: rest } = picomatch.scan(glob)
    const depth = rest === '' ? 0 : rest.includes('**') ? depthLimit : rest.split('/').length
    await walk(base === '' ? '.' : base, depth, picomatch(glob))
  }
  for (const { glob } of plain.filter(it => it.isExclusion)) {
    const isOut = picomatch(glob)
    for (const path of found) if (isOut(path)) found.delete(path)
  }
  return { folders: [...found].sort(), isWhole: left > 0 }
}

function isInside(glob: string): boolean {
  return !glob.startsWith('/') && !glob.split('/').includes('..')
}
