import { LocaldError } from '../../kernel/errors.ts'

/**
 * Splits a command into words as a POSIX shell does (POSIX XCU 2.2, quoting), without expanding anything: the image may
 * have no shell. Throws CONFIG_INVALID where a quote is not closed.
 */
export function splitWords(text: string): readonly string[] {
  const words: string[] = []
  const pattern = /\s*((?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+)/y
  for (let at = 0; text.slice(at).trim() !== ''; at = pattern.lastIndex) {
    pattern.lastIndex = at
    const word = pattern.exec(text)?.[1]
    if (word === undefined)
      throw new LocaldError('CONFIG_INVALID', `a quote in \`${text}\` is not closed`, {
        hint: 'Close it, or write the command as an array of words.',
      })
    words.push(word.replace(/\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"/g, unquote))
  }
  return words
}

function unquote(_: string, escaped?: string, single?: string, double?: string): string {
  if (escaped !== undefined) return escaped === '\n' ? '' : escaped
  return single ?? (double ?? '').replace(/\\(["\\$`\n])/g, (_all, it: string) => (it === '\n' ? '' : it))
}

/** Returns the words of an option that is a text or an array. */
export function wordsOf(option: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof option === 'string' ? splitWords(option) : option
}
