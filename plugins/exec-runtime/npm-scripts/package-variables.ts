import { posix } from 'node:path'
import { isRecord } from '../../lib/json.ts'
import type { PackageJson } from '../package-json.ts'

type Variables = Readonly<Record<string, string>>

/**
 * Returns the variables that npm sets from a package.json (@npmcli/run-script, lib/package-envs.js). Undefined where
 * versions of npm differ.
 */
export function packageVariables({
  name,
  version,
  config,
  engines,
  bin,
  directories,
}: PackageJson): Variables | undefined {
  const programs = programsOf(bin, name)
  if (programs === undefined || (isRecord(directories) && directories['bin'] !== undefined)) return undefined
  const variables = new Map<string, string>()
  const add = (prefix: string, values: Readonly<Record<string, unknown>>): boolean =>
    Object.entries(values).every(([key, value]) => {
      if (value === undefined) return true
      if (Array.isArray(value)) return false
      if (isRecord(value)) return add(`${prefix}${key}_`, value)
      variables.set(`${prefix}${key}`, value === null || value === false ? '' : String(value))
      return true
    })
  const fields = { name, version, config, engines, ...(bin === undefined ? {} : { bin: programs }) }
  return add('npm_package_', fields) ? Object.fromEntries(variables) : undefined
}

/** Returns the programs of a package as npm normalizes them; undefined for unusual ones. */
function programsOf(bin: unknown, name: unknown): Variables | undefined {
  if (bin === undefined) return {}
  const written = typeof bin === 'string' && typeof name === 'string' ? { [name.replace(/^@[^/]+\//, '')]: bin } : bin
  if (!isRecord(written)) return undefined
  const programs: Record<string, string> = {}
  for (const [program, path] of Object.entries(written)) {
    if (typeof path !== 'string' || !/^[\w.-]+$/.test(program)) return undefined
    if (!/^(?:\.\/)?\w[\w./-]*$/.test(path) || path.includes('..')) return undefined
    programs[program] = posix.normalize(path)
  }
  return programs
}
