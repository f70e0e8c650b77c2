import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { made } from './folders.ts'

/** Packages from npm, in versions that run on Node.js 20. */
const fromNpm = ['pm2@7.0.4', 'concurrently@9.2.1', 'mprocs@0.9.6', 'foreman@3.0.1']
/** Packages from Debian, for Debian's Python. */
const fromDebian = ['supervisor', 'python3-pkg-resources']
const python = '/usr/bin/python3'

const peers = join(made, 'peers')
const debian = join(peers, 'debian')

/** The argv and environment of a peer's program, or why it is missing. */
export type Fetched =
  | { readonly words: readonly string[]; readonly env: NodeJS.ProcessEnv }
  | { readonly missing: string }

/** Returns a peer from npm; downloads it at first use. */
export function npmPeer(name: string): Fetched {
  const file = join(peers, 'node_modules', '.bin', name)
  if (!existsSync(file)) {
    mkdirSync(peers, { recursive: true })
    writeFileSync(join(peers, 'package.json'), '{"private":true}\n')
    const ran = quietly('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...fromNpm], peers)
    if (ran !== undefined) return { missing: `${name}: ${ran}` }
  }
  return existsSync(file) ? { words: [file], env: {} } : { missing: `${name}: npm installed none` }
}

/**
 * Returns supervisor's `supervisord` or `supervisorctl`; downloads and unpacks it at first use, without changing the
 * system.
 */
export function supervisorPeer(name: 'supervisord' | 'supervisorctl'): Fetched {
  const file = join(debian, 'usr', 'bin', name)
  if (!existsSync(file)) {
    mkdirSync(debian, { recursive: true })
    const ran =
      quietly('apt-get', ['download', ...fromDebian], debian) ??
      readdirSync(debian)
        .filter(entry => entry.endsWith('.deb'))
        .map(entry => quietly('dpkg', ['-x', entry, '.'], debian))
        .find(fault => fault !== undefined)
    if (ran !== undefined) return { missing: `${name}: ${ran}` }
  }
  if (!existsSync(python)) return { missing: `${name}: no ${python}` }
  return { words: [python, file], env: { PYTHONPATH: join(debian, 'usr', 'lib', 'python3', 'dist-packages') } }
}

/** Returns why a program failed; undefined on success. */
function quietly(command: string, words: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' })
  return status === 0 ? undefined : `${command} ${words[0]}: ${error?.message ?? stderr.trim()}`
}
