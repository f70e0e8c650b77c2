/** The start of a text's SHA-256, so many hexadecimal digits. */
export function shortHash(text: string, digits: number): string {
  // Loaded here only: it takes a tenth of the time in which Node starts, and few paths need it.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, digits)
}
