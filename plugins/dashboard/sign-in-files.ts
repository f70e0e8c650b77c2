import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Log } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { html } from '../lib/page/html.ts'

/** A browser that starts on a busy machine reads the file within this time, ms. */
const lifeMs = 5 * 60_000

interface Written {
  readonly path: string
  readonly timer: NodeJS.Timeout
}

/**
 * Pages on disk, for this user alone, that lead to a sign-in URL: every user of the machine sees the arguments of a
 * browser, and so a URL that it is started with.
 */
export class SignInFiles {
  readonly #folder: () => string
  readonly #log: Log
  readonly #lifeMs: number
  /** By the token of the URL. */
  readonly #written = new Map<string, Written>()

  /** @param runtime returns the runtime folder, which may change while the daemon runs @param life ms, for tests */
  constructor(runtime: () => string, log: Log, life = lifeMs) {
    this.#folder = () => join(runtime(), 'sign-in')
    this.#log = log
    this.#lifeMs = life
    try {
      // Those of a daemon that was killed: their tokens are not valid any more.
      rmSync(this.#folder(), { recursive: true, force: true })
    } catch (error) {
      log.warn(`old files of sign-ins remain: ${messageOf(error)}`)
    }
  }

  /** Writes a page that leads to the URL; returns its own URL, undefined where it cannot be written. */
  write(token: string, url: string): string | undefined {
    try {
      const folder = this.#folder()
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, `${randomBytes(8).toString('hex')}.html`)
      writeFileSync(path, pageOf(url), { mode: 0o600, flag: 'wx' })
      const timer = setTimeout(() => this.remove(token), this.#lifeMs).unref()
      this.#written.set(token, { path, timer })
      return pathToFileURL(path).href
    } catch (error) {
      this.#log.warn(`no file for the sign-in: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Removes the page of a token, where there is one. */
  remove(token: string): void {
    const written = this.#written.get(token)
    if (written === undefined) return
    this.#written.delete(token)
    clearTimeout(written.timer)
    rmSync(written.path, { force: true })
  }

  /** Removes all. */
  close(): void {
    for (const token of this.#written.keys()) this.remove(token)
  }
}

function pageOf(url: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${url}">
<title>Signing in – locald</title>
</head>
<body><p><a href="${url}">Open the dashboard</a></p></body>
</html>
`.text
}
