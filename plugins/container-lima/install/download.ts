import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LocaldError, messageOf, systemCode } from '../../../kernel/errors.ts'
import type { Release } from './release.ts'

/** A server that sends nothing for this long is unreachable: ms. */
const timeouts = { connectTimeout: 15_000, headersTimeout: 30_000, bodyTimeout: 30_000 }

/**
 * Downloads a release to a file, on from where an earlier download stopped, and checks its hash. A file with another hash
 * is removed. The proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Throws STEP_FAILED.
 */
export async function downloadRelease(release: Release, file: string, signal?: AbortSignal): Promise<void> {
  try {
    if (!(await matches(file, release.sha256))) await fetchRest(release, file, signal)
  } catch (error) {
    if (LocaldError.is(error) || signal?.aborted === true) throw error
    throw failedDownload(release, reasonOf(error), error)
  }
  if (await matches(file, release.sha256)) return
  await rm(file, { force: true })
  throw failedDownload(release, 'the file does not match the SHA-256 that locald has for it')
}

async function fetchRest(release: Release, file: string, signal: AbortSignal | undefined): Promise<void> {
  const { EnvHttpProxyAgent, fetch } = await import('undici')
  const agent = new EnvHttpProxyAgent(timeouts)
  try {
    const size = await sizeOf(file)
    const response = await fetch(release.url, {
      headers: size === 0 ? {} : { range: `bytes=${size}-` },
      dispatcher: agent,
      ...(signal === undefined ? {} : { signal }),
    })
    // 416: the file is already whole, or longer; its hash decides.
    if (response.status === 416) return await discard(response.body)
    if (!response.ok || response.body === null) {
      await discard(response.body)
      throw failedDownload(release, `${new URL(release.url).host} responded with ${response.status}`)
    }
    const flags = response.status === 206 ? 'a' : 'w'
    await pipeline(Readable.fromWeb(response.body), createWriteStream(file, { flags, mode: 0o600 }))
  } finally {
    await agent.destroy()
  }
}

async function discard(body: { cancel(): Promise<void> } | null): Promise<void> {
  await body?.cancel()
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

async function matches(file: string, sha256: string): Promise<boolean> {
  if ((await sizeOf(file)) === 0) return false
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex') === sha256
}

function failedDownload({ version, url }: Release, reason: string, cause?: unknown): LocaldError {
  return new LocaldError('STEP_FAILED', `Lima ${version} could not be downloaded from ${url}: ${reason}`, {
    hint: 'Check the network and HTTPS_PROXY, then run `locald vm install`: it goes on where it stopped. Or run `brew install lima`.',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Returns the reason, which fetch reports in the error's cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const [code, text] = [systemCode(cause), messageOf(cause)]
  return code === undefined || text.includes(code) ? text : `${text} (${code})`
}
