/**
 * Takes the place of the `<style>` elements of xterm, which the policy of the page refuses: its text is a sheet of the
 * document while the element is in it. The bundler makes xterm create these (scripts/bundle-web.ts).
 */
class XtermStyle extends HTMLElement {
  readonly #sheet = new CSSStyleSheet()

  override get textContent(): string {
    return ''
  }

  override set textContent(text: string | null) {
    this.#sheet.replaceSync(text ?? '')
  }

  connectedCallback(): void {
    document.adoptedStyleSheets.push(this.#sheet)
  }

  disconnectedCallback(): void {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(sheet => sheet !== this.#sheet)
  }
}

customElements.define('xterm-style', XtermStyle)
