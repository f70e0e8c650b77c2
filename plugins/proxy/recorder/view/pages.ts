import type { Entry } from '../entry.ts'
import { requestField } from './heads.ts'

const documents = new Set(['document', 'iframe', 'frame'])

/** Groups exchanges by the page load that they belong to: the load's own exchange for each; none for others. */
export function pagesOf(entries: readonly Entry[]): ReadonlyMap<Entry, Entry> {
  const pages = new Map<Entry, Entry>()
  /** The latest page of each URL, also of what it has loaded in turn, and of each origin. */
  const latest = new Map<string, Entry>()
  for (const entry of entries) {
    const { scheme, host, path } = entry.head
    const url = `${scheme}://${host}${path}`
    const isDocument = documents.has(requestField(entry, 'sec-fetch-dest') ?? '')
    const page = isDocument ? entry : pageOfReferer(requestField(entry, 'referer'), latest)
    if (page === undefined) continue
    pages.set(entry, page)
    latest.set(url, page)
    if (isDocument) latest.set(`${scheme}://${host}/`, page)
  }
  return pages
}

/** Referrers of another origin have no path. */
function pageOfReferer(referer: string | undefined, latest: ReadonlyMap<string, Entry>): Entry | undefined {
  if (referer === undefined) return undefined
  return latest.get(referer) ?? (URL.canParse(referer) ? latest.get(`${new URL(referer).origin}/`) : undefined)
}
