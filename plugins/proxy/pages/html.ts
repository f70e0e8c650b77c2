import { createHash } from 'node:crypto'
import { script } from './script.ts'
import { style } from './style.ts'

/** HTML that is safe to embed; created only by `html`. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Piece = string | number | Markup | readonly Piece[]

/** Builds HTML from a template, escaping all values but Markup. */
export function html(strings: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(strings.map((text, i) => (i === 0 ? text : renderPiece(values[i - 1] ?? '') + text)).join(''))
}

/** Converts plain text to HTML, with its `commands` as code elements. */
export function prose(text: string): Markup {
  return html`${text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`))}`
}

/** Escapes text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}

function renderPiece(value: Piece): string {
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(renderPiece).join('')
  return escapeHtml(String(value))
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = `default-src 'none'; style-src ${hash(style)}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`
const livePolicy = `${policy}; script-src ${hash(script)}; connect-src 'self'`

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

/** Renders a page, with its headers. */
export function document({ title, body, footer, awaits }: Page): { readonly text: string; readonly headers: string[] } {
  const isLive = awaits !== undefined
  // Without scripts only the progress page reloads: any other URL may be the one that crashes the service.
  const refresh = awaits === 'ready' ? new Markup('<noscript><meta http-equiv="refresh" content="2"></noscript>') : ''
  const page = html`<!doctype html>
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
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', isLive ? livePolicy : policy]
  return { text: page.text, headers }
}
