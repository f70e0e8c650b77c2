/** Returns the first hexadecimal digits of a text's SHA-256. */
export function shortHash(text: string, digits: number): string {
  // Loaded on demand: it takes a tenth of Node's own start, and few paths need it.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, digits)
}
