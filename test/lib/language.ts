/** The first four rules of CONTRIBUTING.md's section on language, each as what it finds wrong in a file. */
import { type Piece, piecesOf, stringsOf, tokensOf, wordsOf } from './prose.ts'

/** A place that breaks a rule. */
export interface Breach {
  readonly file: string
  readonly line: number
  readonly kind: Piece['kind']
  /** The word or phrase, or what is wrong with the whole. */
  readonly what: string
  readonly excerpt: string
}

/** The words that rules 1 and 2 exclude, as CONTRIBUTING.md lists them in `code`. */
export function unusedWords(page: string): { readonly dialect: readonly string[]; readonly terms: readonly string[] } {
  const rule = /^1\. [\s\S]*?(?=^2\. )/m.exec(page)?.[0] ?? ''
  const rows = page.split('### Glossary')[1]?.split('\n## ')[0]?.split('\n') ?? []
  const columns = rows.filter(row => row.startsWith('| ')).map(row => row.split('|').at(-2) ?? '')
  return { dialect: quoted(rule), terms: columns.flatMap(quoted) }
}

function quoted(text: string): readonly string[] {
  return [...text.replace(/\s+/g, ' ').matchAll(/`([^`]+)`/g)].map(([, words = '']) => words)
}

/** Words that also have a proper use, with patterns for what stands directly before or after them there. */
const proper: Readonly<Record<string, { readonly before?: string; readonly after?: string }>> = {
  // The account of that name.
  nobody: { before: '[`\'"]', after: '[`\'"]' },
  // A line ends with CRLF, a list ends in a comma; both ends of a pipe.
  ends: {
    before: '\\b(?:both|two|front|back|dead|other|write|read|the|of) ',
    after: ' (?:with|in|at|on|before|after|here|there|where|when|up)\\b',
  },
  'is well': { after: '-| (?:known|below|above|formed|within|under|over)\\b' },
  'for good': { after: ' reasons?\\b' },
}

/** A pattern for words and phrases, as written or with other white space between their words. */
export function patternOf(words: readonly string[]): RegExp {
  const alternatives = [...words]
    .sort((a, b) => b.length - a.length)
    .map(word => {
      const { before, after } = proper[word] ?? {}
      return `${before ? `(?<!${before})` : ''}${word.replaceAll(' ', '[\\s*/#]+')}\\b${after ? `(?!${after})` : ''}`
    })
  return new RegExp(`\\b(?:${alternatives.join('|')})`, 'gi')
}

/** Rules 1 and 2: words and phrases in strings, comments and text, single words in identifiers. */
export function wordBreaches(file: string, text: string, words: readonly string[]): readonly Breach[] {
  const pattern = patternOf(words)
  const single = new Set(words.filter(word => !word.includes(' ') && word !== 'ends'))
  const names = new Set<string>()
  return piecesOf(file, text).flatMap(piece => {
    if (piece.kind !== 'identifier')
      return [...piece.text.matchAll(pattern)].map(match => breach(file, piece, match[0], match.index))
    const found = names.has(piece.text) ? undefined : wordsOf(piece.text).find(word => single.has(word))
    names.add(piece.text)
    return found === undefined ? [] : [breach(file, piece, found)]
  })
}

function breach(file: string, { kind, text, line }: Piece, what: string, at = 0): Breach {
  const lines = text.slice(0, at).split('\n').length - 1
  const excerpt = text.slice(Math.max(0, at - 60), at + 80).replace(/\s+/g, ' ')
  return { file, line: line + lines, kind, what: what.replace(/[\s*/#]+/g, ' ').toLowerCase(), excerpt }
}

/** Verbs that a hint, a flag or a command begins with. */
const verbs = new Set(
  `add adjust allow apply append ask attach boot change check choose close connect copy correct create declare delete detach disable
  disconnect download drop enable exclude explain export filter find fix follow forget format forward free give grant include increase install keep leave
  limit list log look make manage match migrate mount move name open pin pipe point print put quote raise read reattach rebuild recreate
  reduce reinstall reload remount remove rename repeat replace report reset resolve restart restore retry return rewrite run save search see select send
  serve set shorten show shut skip sign split start stop store switch sync take trust try turn undo uninstall unlock unpin unset untrust
  update upgrade use verify view wait watch write log also`.split(/\s+/),
)

/** Rule 3: a hint is an imperative; a message has no "it" without a noun. */
export function hintBreaches(file: string, text: string): readonly Breach[] {
  const tokens = tokensOf(text)
  const hints = stringsOf(tokens, ['hint', 'fix']).flatMap(piece => {
    const words = bare(piece.text)
    const [first = ''] = words.split(/[^A-Za-z']/)
    if (words === '' || first === '') return []
    if (/\btells? more|says? more\b/.test(words)) return [breach(file, piece, 'tells more')]
    if (words.startsWith('Did you mean ')) return []
    if (/\?$/.test(words)) return [breach(file, piece, 'a question')]
    return verbs.has(first.toLowerCase()) ? [] : [breach(file, piece, 'no imperative')]
  })
  const messages = tokens
    .filter(({ kind, text }) => kind === 'string' && /^['"`]it /.test(text))
    .map(({ text, line }) => breach(file, { kind: 'string', text, line }, 'begins with it'))
  return [...hints, ...messages]
}

/** Rule 4: a flag or a command begins with a verb, in at most 50 characters. */
export function aboutBreaches(file: string, text: string): readonly Breach[] {
  const tokens = tokensOf(text)
  // A plugin's command has a description after its name.
  const isCommand = tokens.some(({ text }, index) => text === 'command' && tokens[index + 1]?.text === '(')
  return stringsOf(tokens, isCommand ? ['about', 'description'] : ['about']).flatMap(piece => {
    const words = bare(piece.text)
    const [first = ''] = words.split(/[^A-Za-z]/)
    return [
      ...(verbs.has(first.toLowerCase()) ? [] : [breach(file, piece, 'no verb')]),
      ...(words.length > 50 ? [breach(file, piece, `${words.length} characters`)] : []),
      ...(/, (?:too|also)\b/.test(words) ? [breach(file, piece, '"also" goes first')] : []),
    ]
  })
}

/** The text of a string without its quotes; a substitution is left out, and what begins with one has no first word. */
function bare(literal: string): string {
  return literal.replace(/^['"`]/, '').replace(/(?:['"`]|\$\{)$/, '')
}
