import type { ProjectDetector } from '../../kernel/contract/plugin.ts'

/** A static folder: index.html at its root or in public/. */
export const site: ProjectDetector = {
  files: ['index.html', 'public'],
  isFallback: true,
  async detect(folder) {
    if (!folder.types.includes('site')) return undefined
    for (const path of ['.', 'public']) {
      const file = path === '.' ? 'index.html' : `${path}/index.html`
      if (await folder.has(file)) return { file, services: { web: { type: 'site', path } }, watched: [] }
    }
    return undefined
  },
}
