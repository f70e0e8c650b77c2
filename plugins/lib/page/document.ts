import { createHash } from 'node:crypto'
import { html, Markup } from './html.ts'
import { style } from './style.ts'

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = `default-src 'none'; style-src ${hash(style)}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`

// Two open doors, one behind the other.
const logo = new Markup(
  '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M1 3.5A2.5 2.5 0 0 1 3.5 1h5v2h-5a.5.5 0 0 0-.5.5v5H1z"/><path d="M5 6.5A1.5 1.5 0 0 1 6.5 5h7A1.5 1.5 0 0 1 15 6.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 5 13.5z"/></svg>',
)

/** The content of a page. */
export interface Page {
  readonly title: string
  readonly body: Markup
  readonly footer?: string
  /** The event after which the page reloads itself. */
  readonly awaits?: string | undefined
}

/**
 * Renders a page, with its headers. @param script of a page that awaits an event; the page is allowed to run no other
 */
export function document(page: Page, script: string): { readonly text: string; readonly headers: string[] } {
  const { title, body, footer, awaits } = page
  const isLive = awaits !== undefined
  // Without scripts only the progress page reloads: any other URL may be the one that crashes the service.
  const refresh = awaits === 'ready' ? new Markup('<noscript><meta http-equiv="refresh" content="2"></noscript>') : ''
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${new Markup(style)}</style>
${refresh}
</head>
<body${isLive ? html` data-awaits="${awaits}"` : ''}>
<header>${logo}<span>locald</span></header>
<main>
${body}
</main>
${footer === undefined ? '' : html`<footer>${footer}</footer>`}
${isLive ? new Markup(`<script>${script}</script>`) : ''}
</body>
</html>
`
  const allowed = isLive ? `${policy}; script-src ${hash(script)}; connect-src 'self'` : policy
  return { text, headers: ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', allowed] }
}
