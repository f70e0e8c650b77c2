/** Splits a command line as compose does, by the quotes and backslashes of sh; undefined for an open quote. */
export function splitWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? ''
    if (quote === "'" ? character === "'" : character === quote && quote !== '') quote = ''
    else if (quote === "'") word += character
    else if (character === '\\') {
      const next = text[++i] ?? ''
      if (quote === '"' && !'"\\$`\n'.includes(next)) word = `${word ?? ''}\\`
      if (next !== '\n') word = (word ?? '') + next
    } else if (quote === '' && (character === "'" || character === '"')) {
      quote = character
      word ??= ''
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  if (quote !== '') return undefined
  return word === undefined ? words : [...words, word]
}

/** Quotes words for sh. */
export function quoteWords(words: readonly string[]): string {
  return words.map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}
