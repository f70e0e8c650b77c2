import { createHash } from 'node:crypto'

/** HTML that is known to be safe: made by `html` only. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Piece = string | number | Markup | readonly Piece[]

/** A template whose values are escaped, but for Markup. */
export function html(strings: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(strings.map((text, i) => (i === 0 ? text : piece(values[i - 1] ?? '') + text)).join(''))
}

/** A sentence of plain text, its `commands` set as code. */
export function prose(text: string): Markup {
  return html`${text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`))}`
}

/** Text for an element or a quoted attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}

function piece(value: Piece): string {
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(piece).join('')
  return escaped(String(value))
}

const style = `
:root{color-scheme:light dark;--line:#8884;--soft:#888}
body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:3rem auto;padding:0 1.5rem}
h1{font-size:1.4rem;font-weight:600;margin:0 0 .5rem}
h2{font-size:1.05rem;font-weight:600;margin:2rem 0 .5rem}
p{margin:.4rem 0}.soft{color:var(--soft)}
pre{font:12px/1.45 ui-monospace,monospace;border:1px solid var(--line);border-radius:6px;padding:.8rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.35rem .8rem .35rem 0;vertical-align:top}
`

// Asks for news without reloading, so that the page stays calm; text only, never markup.
const script = `
const wait = ms => new Promise(done => setTimeout(done, ms))
async function follow() {
  for (;;) {
    try {
      const answer = await fetch(location.href, { headers: { 'X-Locald-Progress': '1' }, cache: 'no-store' })
      if (answer.status !== 202) return location.reload()
      const news = await answer.json()
      document.getElementById('reason').textContent = news.reason
      document.getElementById('lines').textContent = news.lines.join('\\n')
      document.getElementById('lines').hidden = news.lines.length === 0
    } catch {}
    await wait(250)
  }
}
follow()
`

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = `default-src 'none'; style-src ${hash(style)}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`
const livePolicy = `${policy}; script-src ${hash(script)}; connect-src 'self'`

/** A page and the headers that go with it. `live` pages follow the progress of their service and reload. */
export function document(
  title: string,
  body: Markup,
  live = false,
): { readonly text: string; readonly headers: string[] } {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${new Markup(style)}</style>
${live ? new Markup('<noscript><meta http-equiv="refresh" content="2"></noscript>') : ''}
</head>
<body>
${body}
${live ? new Markup(`<script>${script}</script>`) : ''}
</body>
</html>
`
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', live ? livePolicy : policy]
  return { text: page.text, headers }
}
