/** A shell command of plain words: `NODE_ENV=development vite --open`. */
export interface SimpleCommand {
  /** Names of the variables that are set in front of it. */
  readonly variables: readonly string[]
  /** The program and its arguments, without quotes. */
  readonly words: readonly string[]
}

/**
 * One word: of plain characters, backslashes before a character, and quoted parts. Not in it, unless quoted, are
 * operators, redirections, comments, globs and braces; expansions (`$`, backquote) nowhere.
 */
const word = /(?:[\w@%+=:,./~^-]|\\[^\n\r]|'[^'\n\r]*'|"[^"$`\\\n\r]*")+/y
const assignment = /^([A-Za-z_]\w*)=/
/** Words that make a shell read something else than a simple command. */
const reserved = new Set(['if', 'while', 'until', 'for', 'case', 'function', 'time', 'then', 'do', 'eval', 'trap'])

/**
 * Reads a shell command that runs one program with words that are known without running it; undefined for all others:
 * whatever is appended to such a command is an argument of its program.
 */
export function parseSimpleCommand(text: string): SimpleCommand | undefined {
  // `$HOST` is what locald sets: one word, and no flag.
  const source = text.replace(/(?<=[ =])(?:"\$HOST"|\$HOST)(?= |$)/g, '127.0.0.1').trim()
  const words: string[] = []
  for (let at = 0; at < source.length; ) {
    word.lastIndex = at
    const [found] = word.exec(source) ?? []
    if (found === undefined) return undefined
    words.push(found)
    at += found.length
    const [space = ''] = /^[ \t]*/.exec(source.slice(at)) ?? []
    at += space.length
    if (space === '' && at < source.length) return undefined
  }
  const first = words.findIndex(each => !assignment.test(each))
  if (first < 0 || reserved.has(words[first] ?? '')) return undefined
  return {
    variables: words.slice(0, first).map(each => assignment.exec(each)?.[1] ?? ''),
    words: words.slice(first).map(unquote),
  }
}

function unquote(text: string): string {
  return text.replace(/\\(.)|'([^']*)'|"([^"]*)"/g, (_, plain, single, double) => plain ?? single ?? double)
}
