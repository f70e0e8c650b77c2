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
