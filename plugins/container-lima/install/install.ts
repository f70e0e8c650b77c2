import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LocaldError } from '../../../kernel/errors.ts'
import { isProgram } from '../../lib/files.ts'
import { downloadRelease } from './download.ts'
import type { Release } from './release.ts'

/**
 * Installs a release into a folder, which has limactl in `bin/` and what it needs in `share/`. The folder appears only
 * when all of it is there. Returns the path of limactl. Throws STEP_FAILED.
 */
export async function installRelease(release: Release, folder: string, signal?: AbortSignal): Promise<string> {
  const program = join(folder, 'bin', 'limactl')
  if (await isProgram(program)) return program
  const parent = dirname(folder)
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const archive = join(parent, `${basename(new URL(release.url).pathname)}.part`)
  await downloadRelease(release, archive, signal)
  const unpacked = await mkdtemp(join(parent, '.unpack-'))
  try {
    const { extract } = await import('tar')
    await extract({ file: archive, cwd: unpacked, preserveOwner: false, umask: 0o022 })
    if (!(await isProgram(join(unpacked, 'bin', 'limactl')))) {
      throw new LocaldError('STEP_FAILED', `Lima ${release.version}: its archive has no bin/limactl`, {
        hint: 'Run `brew install lima` instead.',
      })
    }
    await rm(folder, { recursive: true, force: true })
    await rename(unpacked, folder)
  } finally {
    await rm(unpacked, { recursive: true, force: true })
  }
  await rm(archive, { force: true })
  await removeOthers(parent, basename(folder))
  return program
}

/** Removes earlier versions: a VM that runs needs no file of theirs. */
async function removeOthers(parent: string, current: string): Promise<void> {
  const names = await readdir(parent)
  await Promise.all(
    names.filter(name => name !== current).map(name => rm(join(parent, name), { recursive: true, force: true })),
  )
}
