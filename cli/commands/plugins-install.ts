import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { packageOf } from '../../kernel/config/checks/plugin-name.ts'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import type { PluginsAnswer } from '../../kernel/protocol.ts'
import { preparePaths } from '../../kernel/system/prepare-paths.ts'
import type { Context } from '../context.ts'
import { findDaemon, requireDaemon } from '../daemon/client.ts'
import { restartDaemon } from '../follow/shutdown.ts'
import { print, printStderr } from '../output/terminal.ts'

/** Runs no code of a package; copies a folder; `locald`, a plugin's peer, is the one that loads it. */
const flags = ['--ignore-scripts', '--omit=dev', '--install-links', '--legacy-peer-deps']

/**
 * `locald plugins add`: installs npm packages into the folder of plugins, and restarts a running daemon, which loads
 * them.
 */
export async function pluginsAdd(context: Context): Promise<number> {
  const { positionals } = context.args
  await npm(context, ['install', ...flags, ...positionals.map(name => resolvePackage(name, context.cwd))])
  await reload(context)
  const answer = await (await requireDaemon(context.paths)).get<PluginsAnswer>('/v1/plugins')
  const installed = answer.plugins.filter(({ from }) => from === 'npm')
  for (const { name, version, state } of installed) print(`${name} ${version} ${state}`)
  const broken = installed.filter(({ state }) => state === 'broken')
  for (const { name, reason } of broken) printStderr(`${name}: ${reason ?? 'broken'}`)
  return broken.length === 0 ? 0 : 1
}

/** `locald plugins remove`. */
export async function pluginsRemove(context: Context): Promise<number> {
  const { positionals } = context.args
  requireInstalled(join(context.paths.data, 'plugins'), positionals)
  await npm(context, ['uninstall', ...flags, ...positionals.map(packageOf)])
  await reload(context)
  print(`Removed ${positionals.join(', ')}`)
  return 0
}

/** Throws for packages that are not installed: npm would report success. */
function requireInstalled(folder: string, names: readonly string[]): void {
  const file = join(folder, 'package.json')
  const { dependencies = {} }: { dependencies?: object } = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : {}
  const missing = names.filter(name => !Object.hasOwn(dependencies, packageOf(name)))
  if (missing.length === 0) return
  throw new LocaldError(
    'USAGE',
    `${missing.length === 1 ? 'plugin' : 'plugins'} ${missing.map(name => `'${name}'`).join(', ')} not installed from npm`,
    {
      hint: 'Run `locald plugins list`. Nothing was changed.',
    },
  )
}

/**
 * Completes a short name: `redis@^1.2` is `locald-plugin-redis@^1.2`. Returns full and scoped names, and paths,
 * unchanged.
 */
function resolvePackage(word: string, cwd: string): string {
  if (/^(?:\.{0,2}\/|~\/|\.{1,2}$)/.test(word) || word.endsWith('.tgz')) return resolve(cwd, word)
  const at = word.indexOf('@', 1)
  return at === -1 ? packageOf(word) : packageOf(word.slice(0, at)) + word.slice(at)
}

/** Runs npm on the folder of plugins; its output goes to stderr. */
async function npm({ paths }: Context, words: readonly string[]): Promise<void> {
  preparePaths(paths)
  const folder = join(paths.data, 'plugins')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const args = [...words, '--prefix', folder, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const code = await new Promise<number | null>((done, reject) => {
    // npm's stdout would mix with ours.
    const child = spawn('npm', args, { cwd: folder, stdio: ['ignore', 2, 2] })
    child.once('error', reject)
    child.once('exit', done)
  }).catch((error: unknown) => {
    const reason = systemCode(error) === 'ENOENT' ? 'npm not found' : messageOf(error)
    throw new LocaldError('STEP_FAILED', reason, {
      hint: 'Install npm, which comes with Node.js: plugins are npm packages.',
    })
  })
  if (code === 0) return
  throw new LocaldError('STEP_FAILED', `npm ${words[0]} failed`, {
    hint: 'Check its messages above. Nothing was changed.',
  })
}

/** Restarts a running daemon, which loads plugins at its start; services keep running. */
async function reload(context: Context): Promise<void> {
  if ((await findDaemon(context.paths)) !== undefined) await restartDaemon(context)
}
