import { open } from 'node:fs/promises'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { realPathIfAny } from '../../../kernel/contract/plugin.ts'
import { canAccess, isProgram, readJson } from '../../lib/files.ts'
import { textOf } from '../../lib/json.ts'
import { runProgram } from '../../lib/programs.ts'

/** The npm that a shell would run, and its Node.js. */
export interface NpmProgram {
  /** Its folder. */
  readonly root: string
  readonly version: string
  /** `run`, or `run-script` of older ones. */
  readonly runCommand: string
  /** The program of Node.js, without links. */
  readonly node: string
  /** `v24.1.0` */
  readonly nodeVersion: string
}

/** Versions whose environment for scripts is known: those that the test compares. */
const knownVersions = /^1[012]\./
/** Time for `node --version`: ms. */
const versionTimeoutMs = 5000

type Env = Readonly<Record<string, string>>

/**
 * Finds npm in PATH. Undefined also where it is no plain npm, but what a version manager or a packager made of it, and
 * where something besides PATH decides which one is run.
 */
export async function findNpm(env: Env): Promise<NpmProgram | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter)
  if (!folders.every(isAbsolute) || Object.keys(env).some(name => /^path$/i.test(name) && name !== 'PATH'))
    return undefined
  const [npm, node] = await Promise.all(['npm', 'node'].map(name => findReal(name, folders)))
  if (npm === undefined || node === undefined || basename(npm) !== 'npm-cli.js') return undefined
  const root = dirname(dirname(npm))
  const [start, version, isNewer, hasGyp, nodeVersion] = await Promise.all([
    firstLine(npm),
    versionOf(root),
    canAccess(join(root, 'lib', 'commands', 'run.js')),
    canAccess(join(root, nodeGyp)),
    nodeVersionOf(node, env),
  ])
  if (start !== '#!/usr/bin/env node' || version === undefined || !hasGyp || nodeVersion === undefined) return undefined
  return { root, version, runCommand: isNewer ? 'run' : 'run-script', node, nodeVersion }
}

/** Programs for native modules, in npm's folder. */
export const nodeGyp = join('node_modules', 'node-gyp', 'bin', 'node-gyp.js')
export const nodeGypFolder = join('node_modules', '@npmcli', 'run-script', 'lib', 'node-gyp-bin')

/** Finds the first program of that name, one folder after the other as a shell; npm's scripts are run by that `sh`. */
export async function findFirst(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (await isProgram(join(folder, name))) return join(folder, name)
  return undefined
}

async function findReal(name: string, folders: readonly string[]): Promise<string | undefined> {
  const found = await findFirst(name, folders)
  return found && realPathIfAny(found)
}

async function versionOf(root: string): Promise<string | undefined> {
  const content = await readJson(join(root, 'package.json'))
  const version = textOf(content, 'version')
  return textOf(content, 'name') === 'npm' && version !== undefined && knownVersions.test(version) ? version : undefined
}

const nodeVersions = new Map<string, string>()

/** Returns the version of a Node.js; undefined for a script, which may run any. */
async function nodeVersionOf(node: string, env: Env): Promise<string | undefined> {
  if (node === process.execPath) return process.version
  if (basename(node) !== 'node' || (await firstLine(node))?.startsWith('#!') !== false) return undefined
  const known = nodeVersions.get(node)
  if (known !== undefined) return known
  const { code, stdout } = await runProgram(node, ['--version'], { env, timeoutMs: versionTimeoutMs })
  const version = stdout.trim()
  if (code !== 0 || !/^v\d+\.\d+\.\d+/.test(version)) return undefined
  nodeVersions.set(node, version)
  return version
}

/** Returns the first line of a file, or what its first bytes have of it. */
async function firstLine(file: string): Promise<string | undefined> {
  const handle = await open(file).catch(() => undefined)
  try {
    const read = await handle?.read({ buffer: Buffer.alloc(64) })
    return read?.buffer.subarray(0, read.bytesRead).toString('latin1').split('\n')[0]
  } finally {
    await handle?.close()
  }
}
