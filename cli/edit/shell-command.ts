/**
 * Joins words to a command of sh(1). One word is a command already. A `$` stays that of a variable: the caller's shell
 * has expanded its own, so `'$PORT'` means the service's.
 */
export function toShellCommand(argv: readonly string[]): string {
  const [only, ...more] = argv
  return only !== undefined && more.length === 0 ? only : argv.map(quote).join(' ')
}

function quote(word: string): string {
  if (/^[\w@%+=:,./${}-]+$/.test(word)) return word
  return word.includes('$') ? `"${word.replace(/["\\`]/g, '\\$&')}"` : `'${word.replaceAll("'", "'\\''")}'`
}
