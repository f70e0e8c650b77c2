import { fieldOf, parseJson, textOf } from '../../lib/json.ts'

/** The variable in which a server gets its settings. The build does not see it. */
export const settingsVariable = 'LOCALD_SITE'

/** What a server serves, and how. */
export interface SiteSettings {
  readonly port: number
  /** The folder with the files, absolute. */
  readonly output: string
  /** The project's domain. */
  readonly domain: string
  readonly build: string | null
  readonly spa: boolean
  readonly reload: boolean
  /** Identifies the daemon to the server. */
  readonly token: string
  /** NODE_OPTIONS of the build; the server runs without. */
  readonly nodeOptions: string | null
}

/** Reads what the driver has written. Throws for anything else. */
export function parseSettings(text: string): SiteSettings {
  const value = parseJson(text)
  const [output, token, domain] = ['output', 'token', 'domain'].map(key => textOf(value, key))
  const port = fieldOf(value, 'port')
  if (output === undefined || token === undefined || domain === undefined || typeof port !== 'number')
    throw new Error(`${settingsVariable} is not set as locald sets it`)
  return {
    ...{ port, output, token, domain },
    build: textOf(value, 'build') ?? null,
    spa: fieldOf(value, 'spa') === true,
    reload: fieldOf(value, 'reload') === true,
    nodeOptions: textOf(value, 'nodeOptions') ?? null,
  }
}
