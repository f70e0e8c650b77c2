import type { ServerResponse } from 'node:http'
import { reloadScript } from './reload-script.ts'

/** Changes that follow each other within this time are one: ms. */
const settleMs = 150
/** Keeps the connections of pages open: ms. */
const pingMs = 20_000

/** Reloads the pages that have the script. */
export class LiveReload {
  readonly #pages = new Set<ServerResponse>()
  readonly #start = Date.now()
  readonly #isIncomplete: () => boolean
  #changes = 0
  #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param isIncomplete while it returns true, pages stay as they are */
  constructor(isIncomplete: () => boolean) {
    this.#isIncomplete = isIncomplete
    setInterval(() => {
      for (const page of this.#pages) page.write(':\n\n')
    }, pingMs).unref()
  }

  sendScript(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'no-cache' })
    response.end(reloadScript)
  }

  /** Keeps a connection of a page. The first event has the present version: a page with an older one reloads. */
  addPage(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write(`event: version\ndata: ${this.#version}\n\n`)
    this.#pages.add(response)
    response.on('close', () => this.#pages.delete(response))
  }

  /** Reports changed files of the output, as URL paths. */
  note(files: readonly string[]): void {
    for (const file of files) this.#changed.add(file)
    this.flush()
  }

  /** Reloads pages soon if files have changed and are complete. */
  flush(): void {
    clearTimeout(this.#timer)
    if (this.#changed.size === 0) return
    this.#timer = setTimeout(() => {
      if (!this.#isIncomplete()) this.#send()
    }, settleMs)
  }

  #send(): void {
    const isStyle = [...this.#changed].every(file => file.endsWith('.css'))
    this.#changed = new Set()
    this.#changes++
    for (const page of this.#pages) page.write(`event: ${isStyle ? 'style' : 'change'}\ndata: ${this.#version}\n\n`)
  }

  get #version(): string {
    return `${this.#start}-${this.#changes}`
  }
}

/** Adds the script to a page: at the end of its body, as parsers read it. */
export function addScript(page: Buffer, prefix: string): Buffer {
  // UTF-16 cannot be added to as bytes; a page in any other encoding has these tags in ASCII.
  if (page[0] === 0xfe || page[0] === 0xff) return page
  const tag = Buffer.from(`<script src="${prefix}/_locald/reload.js"></script>`)
  const at = page.toString('latin1').toLowerCase().lastIndexOf('</body')
  return at === -1 ? Buffer.concat([page, tag]) : Buffer.concat([page.subarray(0, at), tag, page.subarray(at)])
}
