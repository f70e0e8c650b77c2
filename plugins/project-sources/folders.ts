import type { ProjectFolder } from '../../kernel/contract/plugin.ts'

/** Returns the names of the folders in a folder of a project that a pattern fits. */
export async function foldersIn(folder: ProjectFolder, dir: string, pattern: RegExp): Promise<readonly string[]> {
  const entries = await folder.list(dir)
  return entries.flatMap(({ name, kind }) => (kind === 'folder' && pattern.test(name) ? [name] : []))
}
