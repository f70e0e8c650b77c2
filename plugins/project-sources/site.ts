import type { ProjectDetector } from '../../kernel/contract/plugin.ts'

/** Where a static site is, relative to the project. */
const folders = ['.', 'public', 'www', 'site', 'src', 'docs', 'dist']

/** A static folder: index.html at its root or in one of these folders. */
export const site: ProjectDetector = {
  files: ['index.html', ...folders.slice(1)],
  isFallback: true,
  async detect(folder) {
    if (!folder.types.includes('site')) return undefined
    for (const path of folders) {
      const file = path === '.' ? 'index.html' : `${path}/index.html`
      if (await folder.has(file)) return { file, services: { web: { type: 'site', path } }, watched: [] }
    }
    return undefined
  },
}
