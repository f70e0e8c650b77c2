import { request } from 'node:http'
import { parseJson, textOf } from '../lib/json.ts'

/** Where a site's server takes requests of the daemon. */
export interface ControlAddress {
  readonly port: number
  readonly token: string
}

/** Changed files of a site. */
export interface SiteChange {
  /** Those in its output folder, as URL paths. */
  readonly output: readonly string[]
  /** Those that its build reads. */
  readonly sources: readonly string[]
  /** Whether other files may have changed, too. */
  readonly isUnknown: boolean
}

/** The path that only the daemon may use. */
export const controlPath = '/_locald/state'

/**
 * Sends a change, if any, and returns what is wrong with the last build once no build runs: null when nothing is.
 * Rejects when the server cannot be reached.
 */
export function askSite(
  { port, token }: ControlAddress,
  change?: SiteChange,
  signal?: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, path: controlPath, method: 'POST', agent: false },
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        ...(signal === undefined ? {} : { signal }),
      },
      answer => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        answer.on('error', reject)
        answer.on('end', () => {
          if (answer.statusCode === 200) return resolve(textOf(parseJson(text), 'problem') ?? null)
          reject(new Error(`status ${answer.statusCode ?? 0}`))
        })
      },
    )
    sent.on('error', reject)
    sent.end(JSON.stringify(change ?? {}))
  })
}
