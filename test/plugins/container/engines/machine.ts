import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EnvFiles } from '../../../../plugins/container/engines/env-files.ts'
import type { EngineMachine } from '../../../../plugins/container/engines/machine.ts'

/** Makes a machine with what a test gives, and no program on PATH by default. */
export function machineOf(given: Partial<EngineMachine> & { readonly home: string }): EngineMachine {
  return { os: 'linux', uid: 1000, env: {}, files: new EnvFiles(join(given.home, 'env')), ...given }
}

/** Writes a program in a folder `bin` of `home`: a script of sh(1); the result is the folder. */
export function writeProgram(home: string, name: string, script: string): string {
  const folder = join(home, 'bin')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
  return folder
}
