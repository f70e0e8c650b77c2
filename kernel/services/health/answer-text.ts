import type { IncomingMessage } from 'node:http'
import { isSecretName, mask, maskUrls, spellingsOf } from '../../lib/secrets.ts'
import { plainOf } from '../../logs/plain-text.ts'

/** Of a body, so many bytes are read for its first lines. */
const readBytes = 4096
/** A body that comes slower than this is quoted as far as it has come: ms. */
const readMs = 200
/** So much is quoted: characters. */
const longest = 200
/** A field of JSON or a form, or a header in a text, with its value. */
const field = /(["']?)([\w.-]{1,64})\1(\s*[:=]\s*)((?:Bearer|Basic)\s+[^\s,;&}"']+|"[^"]*"?|'[^']*'?|[^\s,;&}"']+)/g

/** Reads the beginning of an answer's body as text; `''` for anything but text. Reads what has come where the answer is not complete. */
export async function readStart(response: IncomingMessage): Promise<string> {
  const { 'content-type': type = 'text/plain', 'content-encoding': encoding } = response.headers
  const isText = encoding === undefined && /^(?:text\/|application\/\S*(?:json|xml))/i.test(type)
  if (!isText) return ''
  const parts: Buffer[] = []
  let size = 0
  const timer = setTimeout(() => response.destroy(), readMs)
  try {
    for await (const part of response) {
      if (!Buffer.isBuffer(part)) break
      parts.push(part)
      size += part.length
      if (size >= readBytes) break
    }
  } catch {
    // What has come is enough.
  } finally {
    clearTimeout(timer)
  }
  const text = Buffer.concat(parts).subarray(0, readBytes).toString()
  return /^text\/html/i.test(type) ? textOfPage(text) : text
}

/** Returns the title of an HTML page, else its text. */
function textOfPage(html: string): string {
  const [, title = ''] = /<title[^<>]*>([^<]*)/i.exec(html) ?? []
  return title.trim() === '' ? html.replace(/<(style|script)\b[\s\S]*?(?:<\/\1>|$)|<[^<>]*>/gi, ' ') : title
}

/** Returns the beginning of a body on one line, without control characters and secrets. */
export function quoteAnswer(body: string, secrets: readonly string[]): string {
  const lines = body.split(/[\r\n]+/).map(line => plainOf(line).replace(/\s+/g, ' ').trim())
  const line = lines.filter(each => each !== '').join(' ')
  const known = secrets.flatMap(spellingsOf).reduce((text, secret) => text.replaceAll(secret, mask), maskUrls(line))
  const text = known.replace(field, (all, quote: string, name: string, sign: string) =>
    isSecretName(name) ? `${quote}${name}${quote}${sign}${mask}` : all,
  )
  return text.length > longest ? `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')}…` : text
}
