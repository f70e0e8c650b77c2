import { readdir } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { document } from '../../lib/page/document.ts'
import { html, prose } from '../../lib/page/html.ts'
import { isVisible } from './file-lookup.ts'

/** Entries of one list: a browser takes long for more. */
const maxEntries = 5000

/** A page of the server's own. */
export interface SitePage {
  readonly status: number
  readonly text: string
  readonly headers: readonly string[]
}

/** Lists a folder that has no page of its own. @param pathname as it was sent, with a slash at its end */
export async function folderPage(folder: string, pathname: string): Promise<SitePage> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries
    .filter(({ name }) => isVisible(name))
    .map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort((a, b) => Number(b.endsWith('/')) - Number(a.endsWith('/')) || a.localeCompare(b))
  const shown = names.slice(0, maxEntries)
  const links = shown.map(
    name => html`<p><a href="./${name.split('/').map(encodeURIComponent).join('/')}">${name}</a></p>`,
  )
  const rest = names.length - shown.length
  const title = decodeURIComponent(pathname)
  return page(200, title, [
    ...(pathname === '/' ? [] : [html`<p><a href="../">../</a></p>`]),
    ...links,
    ...(rest > 0 ? [html`<p class="soft">and ${rest} more</p>`] : []),
    ...(names.length === 0 ? [html`<p class="soft">The folder is empty.</p>`] : []),
  ])
}

/** Returns the page for a path that leads to no file. @param hint a way to have one there */
export function missingPage(hint: string | undefined): SitePage {
  return page(404, 'Not found', [
    html`<p>No file has this path.</p>`,
    ...(hint === undefined ? [] : [html`<p class="soft">${prose(hint)}</p>`]),
  ])
}

/** Returns a page that says only why there is no other. */
export function plainPage(status: number, title: string): SitePage {
  return page(status, title, [])
}

export function sendPage(response: ServerResponse, { status, text, headers }: SitePage, isHead: boolean): void {
  const body = Buffer.from(text)
  response.writeHead(status, [
    ...[...headers, 'Content-Length', String(body.length), 'Cache-Control', 'no-cache'],
    ...['X-Content-Type-Options', 'nosniff'],
  ])
  response.end(isHead ? undefined : body)
}

function page(status: number, title: string, parts: readonly ReturnType<typeof html>[]): SitePage {
  const body = html`<h1>${title}</h1>${parts}`
  return { status, ...document({ title, body }, '') }
}
