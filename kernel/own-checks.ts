import { statfs } from 'node:fs/promises'
import type { Paths } from './paths.ts'
import type { Check } from './plugin.ts'

/** Below this a log or a database soon fails: bytes. */
const littleSpace = 500 * 1024 * 1024

/** What the kernel itself has to say of this machine. */
export function ownChecks(paths: Paths): readonly Check[] {
  return [
    {
      id: 'node',
      title: 'Version of Node',
      run: async () => ({ status: 'pass', severity: 'critical', summary: `Node ${process.versions.node}` }),
    },
    {
      id: 'data',
      title: 'Data folder',
      run: async () => {
        const { bavail, bsize } = await statfs(paths.data)
        const free = bavail * bsize
        const summary = `${paths.data} (${Math.floor(free / 1024 / 1024)} MB free)`
        if (free >= littleSpace) return { status: 'pass', severity: 'important', summary }
        return { status: 'warn', severity: 'important', summary, fix: `Free some space on the disk of ${paths.data}.` }
      },
    },
  ]
}
