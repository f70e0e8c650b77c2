import { realpathSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'

/** Folders that last as long as a shell: fnm makes one for each, and puts it first on PATH. */
const shellFolders = /\/fnm_multishells\//
/** Homebrew's folder of one version of a formula; beside it `opt` has a link to the version in use. */
const cellar = /^(.*)\/Cellar\/([^/]+)\/[^/]+(\/.*)$/

/**
 * Returns a path to the same file that stays when a new version is installed: a link on PATH (Homebrew, mise, asdf), or
 * in Homebrew's `opt`; else the path itself, as for a Node.js of nvm. `path` is absolute.
 */
export function stablePath(path: string, folders: string | undefined): string {
  const onPath = (folders ?? '')
    .split(delimiter)
    .filter(folder => folder.startsWith('/'))
    .map(folder => join(folder, basename(path)))
    .filter(candidate => !shellFolders.test(candidate))
  const opt = path.replace(cellar, '$1/opt/$2$3')
  const real = resolveLinks(path)
  if (real === undefined) return path
  return (
    [...onPath, opt].find(candidate => candidate !== path && resolveLinks(candidate) === real) ??
    resolveShellFolder(path, real)
  )
}

/** Replaces folders of a PATH that last only as long as a shell by what they link to. */
export function resolveShellFolders(path: string): string {
  return path
    .split(delimiter)
    .map(folder => (shellFolders.test(`${folder}/`) ? (resolveLinks(folder) ?? folder) : folder))
    .join(delimiter)
}

function resolveShellFolder(path: string, real: string): string {
  return shellFolders.test(path) ? real : path
}

function resolveLinks(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}
