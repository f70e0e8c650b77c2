import type { BodyView, ExchangeDetail, HeaderView } from '../../provides.ts'

/** As what a request is copied. */
export type SnippetKind = 'curl' | 'fetch' | 'httpie'

/** What the program that runs the snippet sets itself. */
const own = /^(?:host|connection|content-length|transfer-encoding|accept-encoding|keep-alive|upgrade)$|^sec-/i
/** A binary body up to this is part of the snippet, characters of base64. */
const maxBase64 = 16 * 1024

/** Returns a request as a command or code. Headers that are masked are left out, and named in a comment. */
export function snippetOf(detail: ExchangeDetail, kind: SnippetKind): string {
  const headers = detail.requestHeaders.filter(({ name }) => !own.test(name) && !isOfCoding(name, detail.requestBody))
  const masked = headers.filter(({ isMasked }) => isMasked).map(({ name }) => name.toLowerCase())
  const shown = headers.filter(({ isMasked }) => !isMasked)
  const comment = kind === 'fetch' ? '//' : '#'
  const notes = [
    ...(masked.length > 0 ? [`${comment} without secret headers: ${masked.join(', ')}`] : []),
    ...(noteOf(detail.requestBody) ?? []).map(note => `${comment} ${note}`),
  ]
  return [...notes, writers[kind](detail, shown)].join('\n')
}

/** Whether a header describes a coding that the shown body no longer has. */
function isOfCoding(name: string, { decodedFrom }: BodyView): boolean {
  return decodedFrom !== null && name.toLowerCase() === 'content-encoding'
}

const writers: Readonly<Record<SnippetKind, (detail: ExchangeDetail, headers: readonly HeaderView[]) => string>> = {
  curl(detail, headers) {
    const { method, path, requestBody } = detail
    const { data, before } = shellBody(requestBody, '--data-binary @-')
    const has = (wanted: string) => detail.requestHeaders.some(({ name }) => name.toLowerCase() === wanted)
    const words = [
      ...(method === 'GET' && data === undefined ? [] : method === 'HEAD' ? ['--head'] : [`-X ${methodWord(method)}`]),
      // Brackets are ranges to curl, and it resolves dots.
      ...(/[[\]{}]/.test(path) ? ['--globoff'] : []),
      ...(/\/\.{1,2}(?:[/?]|$)/.test(path) ? ['--path-as-is'] : []),
      quote(urlOf(detail)),
      ...(has('accept-encoding') ? ['--compressed'] : []),
      // Without a value curl would send none of that name.
      ...headers.map(({ name, value }) => `-H ${quote(value === '' ? `${name};` : `${name}: ${value}`)}`),
      // By default it is a form's.
      ...(data === undefined || has('content-type') ? [] : [`-H ${quote('Content-Type:')}`]),
      // `--data-binary` would read the file that a text names after `@`.
      ...(data === undefined ? [] : [data === '' ? `--data-raw ${quote(requestBody.text ?? '')}` : data]),
    ]
    return `${before}curl ${words.join(' \\\n  ')}`
  },
  httpie(detail, headers) {
    const { data, before } = shellBody(detail.requestBody, '')
    const words = [
      ...(data === '' ? [`--raw=${quote(detail.requestBody.text ?? '')}`] : []),
      methodWord(detail.method),
      quote(urlOf(detail)),
      ...headers.map(({ name, value }) => quote(httpieHeader(name, value))),
    ]
    return `${before}http ${words.join(' \\\n  ')}`
  },
  fetch(detail, headers) {
    const { text, base64 } = detail.requestBody
    const options = {
      method: detail.method,
      headers: headers.map(({ name, value }) => [name, value]),
      ...(text === null || text === '' ? {} : { body: text }),
    }
    const code = JSON.stringify(options, null, 2)
    const bytes = `Uint8Array.from(atob(${JSON.stringify(base64)}), it => it.charCodeAt(0))`
    const isBinary = base64 !== null && base64.length <= maxBase64
    return `await fetch(${JSON.stringify(urlOf(detail))}, ${isBinary ? code.replace(/\n\}$/, `,\n  "body": ${bytes}\n}`) : code})`
  },
}

/** Returns what comes before the command for its body, and the word for it: empty for a text. */
function shellBody({ text, base64 }: BodyView, word: string): { readonly before: string; readonly data?: string } {
  if (text !== null && text !== '') return { before: '', data: '' }
  if (base64 === null || base64.length > maxBase64) return { before: '' }
  return { before: `printf %s ${base64} | base64 -d | `, data: word }
}

function noteOf({ bytes, text, base64, note }: BodyView): readonly string[] | undefined {
  if (bytes === 0 || text !== null) return undefined
  if (base64 === null) return [`without its body of ${bytes} bytes: ${note}`]
  return base64.length > maxBase64 ? [`without its binary body of ${bytes} bytes`] : undefined
}

function urlOf({ scheme, host, path }: ExchangeDetail): string {
  return `${scheme}://${host}${path}`
}

/** `;` stands for an empty value; `:=` and `:@` are no headers. */
function httpieHeader(name: string, value: string): string {
  if (value === '') return `${name};`
  return `${name}:${/^[=@]/.test(value) ? '\\' : ''}${value}`
}

/** A method can be any token (RFC 9110 section 5.6.2), so also what a shell runs: "a|b" or "`a`". */
function methodWord(method: string): string {
  return /^[A-Za-z-]+$/.test(method) ? method : quote(method)
}

/** Quotes a word for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
