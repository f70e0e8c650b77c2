import type { ProjectDetector } from '../../kernel/contract/plugin.ts'

const locks = ['bun.lock', 'bun.lockb']
const entries = ['index.ts', 'src/index.ts', 'index.tsx', 'src/index.tsx']

/** Bun without scripts: its entry file. */
export const bun: ProjectDetector = {
  files: [...locks, ...entries],
  async detect(folder) {
    for (const lock of locks) {
      if (!(await folder.has(lock))) continue
      for (const entry of entries)
        if (await folder.has(entry))
          return { file: entry, services: { web: { command: `bun --watch ${entry}` } }, watched: ['package.json'] }
    }
    return undefined
  },
}
