import { basename, dirname, join } from 'node:path'

// Every command reads this file.
const { readFileSync } = process.getBuiltinModule('node:fs')

/**
 * The folder that the running code was built into: `build` where it was compiled, `dist` where it was bundled. Both
 * have the files that are looked up by name: `kernel/daemon.js`, `plugins/index.js`.
 */
export const builtFolder = builtFolderOf(import.meta.dirname)
/** The folder with package.json. */
export const packageFolder = dirname(builtFolder)

function builtFolderOf(folder: string): string {
  return ['build', 'dist'].includes(basename(folder)) ? folder : builtFolderOf(dirname(folder))
}

/** The CLI's main file. */
export const cliMain = join(builtFolder, 'cli', basename(builtFolder) === 'dist' ? 'main.cjs' : 'main.js')

/** Returns the version of locald. */
export function versionOf(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  return version
}
