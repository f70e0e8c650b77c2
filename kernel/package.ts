import { dirname, join } from 'node:path'

// Every command reads this file.
const { readFileSync } = process.getBuiltinModule('node:fs')

/**
 * The folder that the running code was built into: `build` where it was compiled, `dist` where it was bundled. Any file that runs is in
 * one of its folders, and both have those that others look for by name: `kernel/daemon.js`, `plugins/index.js`.
 */
export const builtFolder = dirname(import.meta.dirname)
/** The folder with package.json. */
export const packageFolder = dirname(builtFolder)

/** The version of locald. */
export function versionOf(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  return version
}
