/** A variable of the service, as `$PORT`; `$1`, `$(date)` and `$i` are meant for the program that gets them. */
const variable = String.raw`\$(?:[A-Z_][A-Z0-9_]*|\{[A-Z_][A-Z0-9_]*\})`
const plainWord = new RegExp(`^(?:[\\w@%+=:,./-]|${variable})+$`)
const expandable = new RegExp(`^(?:[^$]|${variable})+$`)

/**
 * Joins words to a command of sh(1). One word is a command already. A `$PORT` stays that of a variable: the caller's
 * shell has expanded its own, so `'$PORT'` means the service's. The text of another shell, after `-c`, stays as it is.
 */
export function toShellCommand(argv: readonly string[]): string {
  const [only, ...more] = argv
  if (only !== undefined && more.length === 0) return only
  return argv.map((word, index) => quote(word, /^-\w*c$/.test(argv[index - 1] ?? ''))).join(' ')
}

function quote(word: string, isProgram: boolean): string {
  if (plainWord.test(word)) return word
  const isExpanded = word.includes('$') && expandable.test(word) && !isProgram
  return isExpanded ? `"${word.replace(/["\\`]/g, '\\$&')}"` : `'${word.replaceAll("'", "'\\''")}'`
}
