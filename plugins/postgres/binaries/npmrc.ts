import { homedir } from 'node:os'
import { join } from 'node:path'
import { readTextFile } from '../../../kernel/contract/plugin.ts'

/** npm's settings for one registry. */
export interface NpmSettings {
  /** With a slash at the end. */
  readonly registry: string
  /** For requests to the registry itself only. Secret. */
  readonly authorization: string | undefined
  /** The only certificates (PEM) to trust for registry and proxy; undefined: those that Node trusts. */
  readonly authorities: string | undefined
  readonly proxies: { readonly httpProxy?: string; readonly httpsProxy?: string; readonly noProxy?: string }
}

type Env = Readonly<Record<string, string | undefined>>

const publicRegistry = 'https://registry.npmjs.org/'

/**
 * Reads npm's settings for a scope: `npm_config_*`, then the project's `.npmrc`, then the user's; proxies also from the
 * usual variables. https://docs.npmjs.com/cli/configuring-npm/npmrc
 */
export async function npmSettings(scope: string, project: string, env: Env): Promise<NpmSettings> {
  const userFile = readSetting(env, 'userconfig') ?? join(env['HOME'] || homedir(), '.npmrc')
  const files = await Promise.all([join(project, '.npmrc'), userFile].map(file => readNpmrc(file, env)))
  const setting = (key: string) => readSetting(env, key) ?? files.find(file => file.has(key))?.get(key)
  const registry = withSlash(setting(`${scope}:registry`) ?? setting('registry') ?? publicRegistry)
  const httpsProxy = setting('https-proxy') ?? setting('proxy') ?? env['HTTPS_PROXY'] ?? env['https_proxy']
  const httpProxy = setting('proxy') ?? env['HTTP_PROXY'] ?? env['http_proxy']
  const noProxy = setting('noproxy') ?? env['NO_PROXY'] ?? env['no_proxy']
  return {
    registry,
    authorization: authorizationFor(registry, files),
    authorities: await textOf(setting('cafile')),
    proxies: {
      ...(httpProxy === undefined ? {} : { httpProxy }),
      ...(httpsProxy === undefined ? {} : { httpsProxy }),
      ...(noProxy === undefined ? {} : { noProxy }),
    },
  }
}

function readSetting(env: Env, key: string): string | undefined {
  const name = `npm_config_${key.replaceAll('-', '_')}`
  return env[name] || env[name.toUpperCase()] || undefined
}

/**
 * Returns the credentials, which npmrc keeps under the registry's address without its scheme, or a prefix of its path.
 */
function authorizationFor(registry: string, files: readonly ReadonlyMap<string, string>[]): string | undefined {
  const { host, pathname } = new URL(registry)
  const parts = pathname.split('/').filter(part => part !== '')
  for (let length = parts.length; length >= 0; length--) {
    const place = `//${[host, ...parts.slice(0, length)].join('/')}/`
    for (const file of files) {
      const token = file.get(`${place}:_authToken`)
      if (token !== undefined) return `Bearer ${token}`
      const basic = file.get(`${place}:_auth`)
      if (basic !== undefined) return `Basic ${basic}`
    }
  }
  return undefined
}

/** Reads a file; like npm, ignores a missing one. */
async function textOf(file: string | undefined): Promise<string | undefined> {
  const read = file === undefined ? undefined : await readTextFile(file)
  return read !== undefined && 'text' in read ? read.text : undefined
}

async function readNpmrc(file: string, env: Env): Promise<ReadonlyMap<string, string>> {
  const read = await readTextFile(file)
  // A file of another user would choose where a program comes from.
  const isTaken =
    read !== undefined && 'text' in read && read.owners.every(uid => uid === 0 || uid === process.geteuid?.())
  const entries = (isTaken ? read.text : '').split('\n').flatMap(line => {
    const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (key === undefined || value === undefined) return []
    const plain = value.replace(/^(["'])(.*)\1$/, '$2')
    return [[key, plain.replaceAll(/\$\{([^}]+)\}/g, (written, name: string) => env[name] ?? written)] as const]
  })
  return new Map(entries)
}

function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`
}
