/** The start of a text's SHA-256, 16 hexadecimal digits. node:crypto is loaded when it is first needed: commands import this. */
export function textHash(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, 16)
}
