/** A text of words alone: nothing in it that a shell would read otherwise. */
const plain = /^[\w@%+:,./-]+(?:\s+[\w@%+=:,./-]+)*$/
/** A word that a shell takes as it is. */
const plainWord = /^[\w@%+=:,./-]+$/

/** Returns the words of a command line; of one that is more than words, those of a shell that runs it. */
export function wordsOf(text: string): readonly [string, ...string[]] {
  const line = text.trim()
  if (!plain.test(line)) return ['sh', '-c', line]
  const [program = line, ...args] = line.split(/\s+/)
  return [program, ...args]
}

/** Returns the command line that a shell reads as these words. */
export function lineOf(words: readonly string[]): string {
  return words.map(word => (plainWord.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ')
}

/** Returns the command line that was typed for these words. */
export function typedLineOf(words: readonly string[]): string {
  const [program, flag, text, ...more] = words
  return program === 'sh' && flag === '-c' && text !== undefined && more.length === 0 ? text : lineOf(words)
}
