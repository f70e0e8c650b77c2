import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LocaldError, messageOf, systemCode } from '../../../kernel/errors.ts'
import type { NpmSettings } from './npmrc.ts'

/** A package to download. `progress` gets bytes. */
export interface DownloadInput {
  readonly name: string
  readonly version: string
  readonly settings: NpmSettings
  readonly signal: AbortSignal
  progress(done: number, total: number): void
}

/** A registry that sends nothing for this long is unreachable: ms. */
const timeouts = { connectTimeout: 15_000, headersTimeout: 30_000, bodyTimeout: 30_000 }
/** Progress reports of one download. */
const reports = 50

/**
 * Downloads a package from the registry into a folder that must not exist yet. Checks the tarball against the
 * registry's sha512 before unpacking. Throws STEP_FAILED with the network's error.
 */
export async function fetchPackage(input: DownloadInput, folder: string): Promise<void> {
  const { name, version, settings } = input
  const { EnvHttpProxyAgent } = await import('undici')
  const proxies = { httpProxy: '', httpsProxy: '', noProxy: '', ...settings.proxies }
  const agent = new EnvHttpProxyAgent({ ...proxies, ...timeouts, ...tlsOptions(settings.authorities) })
  const tarball = `${folder}.tgz`
  try {
    const manifest = await get(input, agent, new URL(`${name.replace('/', '%2f')}/${version}`, settings.registry))
    const { url, integrity } = distOf(await manifest.json(), input)
    await save(await get(input, agent, url), tarball, input)
    await verify(tarball, integrity, input)
    await unpack(tarball, folder)
  } catch (error) {
    if (LocaldError.is(error) || input.signal.aborted) throw error
    throw failed(input, networkReason(error), error)
  } finally {
    await rm(tarball, { force: true })
    await agent.destroy()
  }
}

type Agent = InstanceType<typeof import('undici')['EnvHttpProxyAgent']>
type RegistryResponse = import('undici').Response

/** Trusts the authorities for the registry, directly and through a proxy, and for the proxy. */
function tlsOptions(ca: string | undefined) {
  return ca === undefined ? {} : { connect: { ca }, requestTls: { ca }, proxyTls: { ca } }
}

async function get(input: DownloadInput, agent: Agent, url: URL): Promise<RegistryResponse> {
  const { fetch } = await import('undici')
  const { settings, signal } = input
  const isOwn = url.origin === new URL(settings.registry).origin
  const headers = isOwn && settings.authorization !== undefined ? { authorization: settings.authorization } : {}
  const response = await fetch(url, { headers, signal, dispatcher: agent })
  if (response.ok) return response
  await response.body?.cancel()
  throw failed(input, `${url.host} responded with ${response.status}${response.status === 404 ? ' (not found)' : ''}`)
}

/**
 * Returns the tarball's address and its sha512. A mirror may return addresses of the public registry: the same path is
 * read from the mirror.
 */
function distOf(manifest: unknown, input: DownloadInput): { readonly url: URL; readonly integrity: string } {
  const dist: unknown = field(manifest, 'dist')
  const [tarball, integrity] = [field(dist, 'tarball'), field(dist, 'integrity')]
  if (typeof tarball !== 'string' || typeof integrity !== 'string') {
    throw failed(input, 'the registry lists no tarball with an integrity hash')
  }
  const url = new URL(tarball, input.settings.registry)
  if (url.host !== 'registry.npmjs.org') return { url, integrity }
  return { url: new URL(`.${url.pathname}`, input.settings.registry), integrity }
}

async function save(response: RegistryResponse, file: string, input: DownloadInput): Promise<void> {
  if (response.body === null) throw failed(input, 'empty response')
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const total = Number(response.headers.get('content-length') ?? 0)
  let done = 0
  let reported = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      done += chunk.length
      if (total > 0 && done - reported >= total / reports) {
        reported = done
        input.progress(done, Math.max(done, total))
      }
      pass(null, chunk)
    },
  })
  await pipeline(Readable.fromWeb(response.body), count, createWriteStream(file, { mode: 0o600 }), {
    signal: input.signal,
  })
}

async function verify(file: string, integrity: string, input: DownloadInput): Promise<void> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(file), hash)
  const found = `sha512-${hash.digest('base64')}`
  if (integrity.split(/\s+/).includes(found)) return
  throw failed(input, 'the download does not match the hash in the registry')
}

async function unpack(tarball: string, folder: string): Promise<void> {
  const { extract } = await import('tar')
  await mkdir(folder, { recursive: true, mode: 0o755 })
  await extract({ file: tarball, cwd: folder, strip: 1, preserveOwner: false, umask: 0o022 })
}

/**
 * Creates the links between libraries that a package lists in `pg-symlinks.json`: npm packages cannot contain links.
 */
export async function linkLibraries(folder: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(links)) throw new Error('pg-symlinks.json is not a list')
  for (const link of links) {
    const source = resolveInside(folder, field(link, 'source'))
    const target = resolveInside(folder, field(link, 'target'))
    await symlink(relative(dirname(target), source), target).catch(error => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
  }
}

function resolveInside(folder: string, path: unknown): string {
  const whole = typeof path === 'string' ? resolve(folder, path) : folder
  if (whole.startsWith(folder + sep)) return whole
  throw new Error(`pg-symlinks.json names ${String(path)}, which is not in the package`)
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

/** Returns the reason, which fetch reports in the error's cause. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = systemCode(cause)
  const text = messageOf(cause)
  return code === undefined || text.includes(code) ? text : `${text || messageOf(error)} (${code})`
}

function failed({ name, version, settings }: DownloadInput, reason: string, cause?: unknown): LocaldError {
  return new LocaldError(
    'STEP_FAILED',
    `${name} ${version} could not be fetched from ${settings.registry}: ${reason}`,
    {
      hint: "Check the network, and npm's `registry` and proxy settings.",
      ...(cause === undefined ? {} : { cause }),
    },
  )
}
