import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { made } from './folders.ts'

/** From npm, in versions that run on Node 20. */
const fromNpm = ['pm2@7.0.4', 'concurrently@9.2.1', 'mprocs@0.9.6', 'foreman@3.0.1']
/** From Debian, for the Python that Debian's is. */
const fromDebian = ['supervisor', 'python3-pkg-resources']
const python = '/usr/bin/python3'

const peers = join(made, 'peers')
const debian = join(peers, 'debian')

/** The words that run a peer's program, its environment, or why there is none. */
export type Fetched =
  | { readonly words: readonly string[]; readonly env: NodeJS.ProcessEnv }
  | { readonly missing: string }

/** A peer of npm, fetched at first use. */
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

/** supervisor's `supervisord` or `supervisorctl`, fetched at first use and unpacked: nothing of the system is changed. */
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

/** Why a program failed; undefined when it did not. */
function quietly(command: string, words: readonly string[], cwd: string): string | undefined {
  const { status, error, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' })
  return status === 0 ? undefined : `${command} ${words[0]}: ${error?.message ?? stderr.trim()}`
}
