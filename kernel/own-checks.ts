import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Check, CheckResult } from './contract/plugin.ts'
import { systemCode } from './errors.ts'
import type { Paths } from './system/paths.ts'

/** Below this a log or a database soon fails: bytes. */
const littleSpace = 500 * 1024 * 1024
const littleTemporary = 64 * 1024 * 1024

/** What the kernel itself has to say of this machine. */
export function ownChecks(paths: Pick<Paths, 'data'>): readonly Check[] {
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
    { id: 'temporary-folder', title: 'Temporary folder', run: () => temporaryFolder(tmpdir()) },
  ]
}

async function temporaryFolder(folder: string): Promise<CheckResult> {
  const severity = 'important'
  try {
    await access(folder, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize >= littleTemporary) return { status: 'pass', severity, summary: `${folder} is writable` }
    return { status: 'warn', severity, summary: `${folder} is nearly full`, fix: `Free some space in ${folder}.` }
  } catch (error) {
    const summary = `${folder} cannot be written to (${systemCode(error) ?? 'unknown error'})`
    return { status: 'fail', severity, summary, fix: 'Set TMPDIR to a folder that can be.' }
  }
}
