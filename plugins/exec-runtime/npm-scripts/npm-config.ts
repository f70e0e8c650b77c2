import { dirname, isAbsolute, join, resolve } from 'node:path'
import { readTextFile } from '../../../kernel/contract/plugin.ts'
import type { NpmProgram } from './npm-program.ts'

type Env = Readonly<Record<string, string>>

/**
 * Options that only concern packages and are common, with npm's default of the switches: how a script is run does not
 * depend on them (@npmcli/config, lib/definitions).
 */
const switches: Readonly<Record<string, boolean>> = {
  audit: true,
  'engine-strict': false,
  fund: true,
  // There are no scripts before and after the one that is run.
  'ignore-scripts': false,
  'legacy-peer-deps': false,
  'omit-lockfile-registry-resolved': false,
  'package-lock': true,
  'save-exact': false,
  'strict-ssl': true,
  'update-notifier': true,
}
const texts: Readonly<Record<string, string>> = { registry: 'https://registry.npmjs.org/', 'save-prefix': '^' }
const paths = new Set(['cache', 'cafile', 'prefix'])

type Options = ReadonlyMap<string, string>

/** Where npm's configuration is for. */
export interface PackagePlace {
  /** The folder of the package, or of the one whose workspace it is. */
  readonly prefix: string
  readonly isWorkspace: boolean
  readonly platform: NodeJS.Platform
}

/**
 * Returns the variables that npm sets from its configuration. Undefined where an option is set that may change how a script is run, or that is not known.
 */
export async function npmConfigVariables(
  { root, node, version, nodeVersion }: Pick<NpmProgram, 'root' | 'node' | 'version' | 'nodeVersion'>,
  env: Env,
  { prefix, isWorkspace, platform }: PackagePlace,
): Promise<Env | undefined> {
  const set = optionsIn(env)
  const home = env['HOME'] ?? ''
  if (set === undefined || !isAbsolute(home)) return undefined
  const userFile = join(home, '.npmrc')
  const projectFile = join(prefix, '.npmrc')
  const [project, user, builtIn] = await Promise.all([
    projectFile === userFile ? new Map<string, string>() : readNpmrc(projectFile, home),
    readNpmrc(userFile, home),
    readNpmrc(join(root, 'npmrc'), home),
  ])
  // npm ignores it there, and says so.
  if (project === undefined || user === undefined || builtIn === undefined || project.has('prefix')) return undefined
  const globalPrefix = user.get('prefix') ?? builtIn.get('prefix') ?? dirname(dirname(node))
  const globalFile = join(globalPrefix, 'etc', 'npmrc')
  const global = await readNpmrc(globalFile, home)
  if (global === undefined) return undefined
  const values = new Map([...builtIn, ...global, ...user, ...project])
  const finalPrefix = values.get('prefix') ?? globalPrefix
  return {
    npm_config_cache: join(home, '.npm'),
    npm_config_globalconfig: join(finalPrefix, 'etc', 'npmrc'),
    npm_config_init_module: join(home, '.npm-init.js'),
    npm_config_noproxy: '',
    npm_config_userconfig: userFile,
    npm_config_prefix: finalPrefix,
    ...Object.fromEntries(
      [...values].filter(([key]) => !set.has(key)).flatMap(([key, value]) => toVariable(key, value)),
    ),
    npm_config_global_prefix: finalPrefix,
    npm_config_local_prefix: prefix,
    npm_config_npm_version: version,
    npm_config_user_agent: `npm/${version} node/${nodeVersion} ${platform} ${process.arch} workspaces/${isWorkspace}`,
  }
}

/** Returns the options of npm that the environment sets, by their names; undefined where one is not known. */
function optionsIn(env: Env): ReadonlySet<string> | undefined {
  if (env['PREFIX'] || env['DESTDIR']) return undefined
  const names = Object.keys(env).filter(name => /^npm_config_/i.test(name) && env[name] !== '')
  const keys = names.map(name => name.slice('npm_config_'.length).replaceAll('_', '-'))
  const areKnown = names.every((name, at) => {
    const isSwitch = Object.hasOwn(switches, keys[at] ?? '') && /^(?:true|false)$/.test(env[name] ?? '')
    return name.startsWith('npm_config_') && isSwitch
  })
  return areKnown ? new Set(keys) : undefined
}

/** Reads an npmrc; undefined where it has more than known options and credentials. */
async function readNpmrc(file: string, home: string): Promise<Options | undefined> {
  const read = await readTextFile(file)
  if (read === undefined) return new Map()
  if ('fault' in read) return undefined
  const options = new Map<string, string>()
  for (const line of read.text.split(/\r?\n/)) {
    // Credentials and the registries of scopes are not for scripts.
    if (/^\s*(?:[;#]|$)/.test(line) || /^\s*(?:\/\/[^=]+|@[\w.-]+:registry)\s*=/.test(line)) continue
    const [, key = '', text = ''] = /^\s*([a-z-]+)\s*=\s*([\w@:/.,~^+-]+)\s*$/.exec(line) ?? []
    const value = toValue(key, text, home)
    if (value === undefined) return undefined
    options.set(key, value)
  }
  return options
}

function toValue(key: string, text: string, home: string): string | undefined {
  if (Object.hasOwn(switches, key)) return text === 'true' || text === 'false' ? text : undefined
  if (Object.hasOwn(texts, key)) return ['true', 'false', 'null', 'undefined'].includes(text) ? undefined : text
  if (!paths.has(key)) return undefined
  if (text.startsWith('~/')) return join(home, text.slice(2))
  return isAbsolute(text) ? resolve(text) : undefined
}

/** Returns the variable of an option, as npm writes it; none for a default. */
function toVariable(key: string, value: string): readonly (readonly [string, string])[] {
  const isDefault = Object.hasOwn(switches, key) ? String(switches[key]) === value : texts[key] === value
  return isDefault ? [] : [[`npm_config_${key.replaceAll('-', '_')}`, value === 'false' ? '' : value]]
}
