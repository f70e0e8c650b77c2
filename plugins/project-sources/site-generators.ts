import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { findPython, pythonFiles } from './python.ts'

const hugoFiles = ['hugo.toml', 'hugo.yaml', 'hugo.json', 'config.toml', 'config.yaml', 'config.json']
const hugoFolders = ['layouts', 'content', 'archetypes', 'themes']

/** Hugo: its configuration, under a name of its own, or beside a folder of its own. */
export const hugo: ProjectDetector = {
  files: hugoFiles,
  async detect(folder) {
    const file = await firstOf(folder, hugoFiles)
    if (file === undefined) return undefined
    if (file.startsWith('config.') && (await firstOf(folder, hugoFolders)) === undefined) return undefined
    return { file, services: { web: { command: 'hugo server' } }, watched: [] }
  },
}

const mkdocsFiles = ['mkdocs.yml', 'mkdocs.yaml']

/** MkDocs: its configuration. */
export const mkdocs: ProjectDetector = {
  files: [...mkdocsFiles, ...pythonFiles],
  async detect(folder) {
    const file = await firstOf(folder, mkdocsFiles)
    if (file === undefined) return undefined
    const { command } = await findPython(folder)
    return { file, services: { web: { command: `${command} -m mkdocs serve` } }, watched: [] }
  },
}

async function firstOf(folder: ProjectFolder, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await folder.has(name)) return name
  return undefined
}
