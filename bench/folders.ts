import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
/** Everything that benches create, peers included. */
export const made = join(root, 'build', 'bench')
/** The command line. */
export const cli = join(root, 'dist', 'cli', 'main.cjs')

/**
 * Returns the path of a small C program of the bench; compiles it if it is missing or older than its source. Throws
 * without a compiler.
 */
export function program(name: 'listener' | 'printer'): string {
  const source = join(root, 'bench', `${name}.c`)
  const output = join(made, name)
  if (existsSync(output) && statSync(output).mtimeMs > statSync(source).mtimeMs) return output
  mkdirSync(made, { recursive: true })
  const ran = spawnSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', output, source], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`cc ${source}: ${ran.error?.message ?? ran.stderr}`)
  return output
}
