import { isAbsolute, join, normalize, relative } from 'node:path'
import { isBelow } from '../lib/subpath.ts'

/** What the output of a run names. Paths are relative to the project's folder. */
export interface Evidence {
  /** All lines, to search for names. */
  readonly text: string
  /** A package that was not found. */
  readonly module: string | undefined
  /** A command that was not found. */
  readonly command: string | undefined
  /** A port that is in use. */
  readonly port: number | undefined
  /** Where a connection was refused. */
  readonly refused: { readonly host: string; readonly port: number } | undefined
  /** A host name that was not found. */
  readonly unknownHost: string | undefined
  /** Files that were not found, or may not be used. */
  readonly missing: readonly string[]
  readonly denied: readonly string[]
  /** A table or column that a database does not have. */
  readonly table: string | undefined
  /** Variables that the output calls missing. */
  readonly variables: readonly string[]
  /** Files of the project that it names, the place of the error first. */
  readonly files: readonly { readonly path: string; readonly line: number | undefined }[]
  readonly isSyntax: boolean
  readonly isOutOfMemory: boolean
  /** Whether a package or the program was made for another version of the runtime. */
  readonly isOtherVersion: boolean
}

/** The folders that paths are relative to. */
export interface Place {
  readonly root: string
  readonly dir: string
}

/** Only the beginning of a longer line is searched: UTF-16 units. */
const examined = 1000
/** Files and names that are kept. */
const most = 12

/** Reads what the output of a run, and the reason of its failure, name. Nothing in it is trusted to be true. */
export function readEvidence(lines: readonly string[], reason: string | null, place: Place): Evidence {
  const all = [...lines, reason ?? ''].map(line => line.slice(0, examined))
  const text = all.join('\n')
  const first = (...patterns: readonly RegExp[]) => {
    for (const pattern of patterns) {
      const found = pattern.exec(text)?.[1]
      if (found !== undefined) return found
    }
    return undefined
  }
  const module = first(
    /(?:Cannot find (?:module|package)|Failed to resolve import|Could not resolve|Can't resolve) ['"]([^'"\n]+)['"]/,
    /ModuleNotFoundError: No module named '([^'\n]+)'/,
    /ImportError: No module named (\S+)/,
    /cannot load such file -- (\S+)/,
  )
  const isPath = module !== undefined && /^(?:\.|\/|file:)/.test(module)
  const port = first(
    /(?:EADDRINUSE|address already in use)[^\n]*?:(\d{2,5})\b/i,
    /\bport (\d{2,5}) (?:of \S+ )?(?:is|was) (?:already )?in use/i,
    /EADDRINUSE[\s\S]{0,400}?\bport: (\d{2,5})/,
  )
  const paths = (found: readonly (string | undefined)[]) => [
    ...new Set(found.flatMap(it => (it === undefined ? [] : (pathIn(it, place) ?? [])))),
  ]
  return {
    text,
    module: isPath ? undefined : module,
    command: first(
      /(?:^|\n)\S*sh: (?:line )?(?:\d+: )?([^\s:]+): (?:command )?not found/,
      /command not found: (\S+)/,
      /(?:^|\n)env: [‘'"]?(.+?)[’'"]?: No such file or directory/,
      /spawn (\S+) ENOENT/,
    ),
    port: port === undefined ? undefined : Number(port),
    refused: refusedIn(all),
    unknownHost: first(/(?:ENOTFOUND|EAI_AGAIN) (\S+)/, /could not translate host name "([^"\n]+)"/),
    missing: paths([
      ...(isPath ? [module] : []),
      ...matches(text, /ENOENT[^\n]*?'([^'\n]+)'/g),
      ...matches(text, /No such file or directory: '?([^'\n]+?)'?(?:$|\n|')/g),
      ...matches(text, /(?:^|\n)\S+: (\S+): (?:not found|No such file or directory)/g),
      ...matches(text, /can't open file '([^'\n]+)'/g),
    ]),
    denied: paths([
      ...matches(text, /EACCES[^\n]*?'([^'\n]+)'/g),
      ...matches(text, /Permission denied: '?([^'\n]+?)'?(?:$|\n|')/g),
      ...matches(text, /(?:^|\n)\S*sh: (?:line )?(?:\d+: )?(\S+?): (?:Permission denied|cannot execute)/g),
    ]),
    table: first(
      /(?:relation|table|column) "([^"\n]+)"[^\n]* does not exist/,
      /no such (?:table|column): (\S+)/,
      /Table '([^'\n]+)' doesn't exist/,
      /The table `([^`\n]+)` does not exist/,
    ),
    variables: missingVariables(text),
    files: filesIn(all, place),
    isSyntax: /SyntaxError|IndentationError|Transform failed|error TS\d+|ParseError|Unexpected token/.test(text),
    isOutOfMemory:
      /JavaScript heap out of memory|MemoryError|Cannot allocate memory|lack of memory|SIGKILL|code 137\b/.test(text),
    isOtherVersion:
      /NODE_MODULE_VERSION|ERR_DLOPEN_FAILED|[Uu]nsupported engine|requires (?:a )?(?:Node|Python|Ruby)|does not provide an export named|requires-python/.test(
        text,
      ),
  }
}

function matches(text: string, pattern: RegExp): readonly (string | undefined)[] {
  return [...text.matchAll(pattern)].slice(0, most).map(([, found]) => found)
}

/** Finds where a connection was refused: a line with a host and a port. */
function refusedIn(lines: readonly string[]): Evidence['refused'] {
  for (const line of lines.filter(it => /refused/i.test(it))) {
    const [, host, port] =
      /ECONNREFUSED (\[?[\w.:-]{1,100}?\]?):(\d{2,5})\b/.exec(line) ??
      /at "[^"]{1,100}" \(([^)]{1,100})\), port (\d{2,5})\b/.exec(line) ??
      /at "([^"]{1,100})", port (\d{2,5})\b/.exec(line) ??
      /(?:^|[\s"'(/@[])([\w.-]{1,100}|::1)\]?:(\d{2,5})\b/.exec(line) ??
      []
    if (host !== undefined) return { host, port: Number(port) }
  }
  return undefined
}

/** Finds the names of variables that a line calls missing; names are in capitals, as those of variables are. */
function missingVariables(text: string): readonly string[] {
  const name = '([A-Z][A-Z0-9_]{2,60})'
  const patterns = [
    `KeyError: '${name}'`,
    `\\b${name}\\b['"\`]? (?:environment variable )?(?:is|was|must be|has to be|needs to be) ?(?:not |un)?(?:set|defined|required|missing|provided|empty)`,
    `(?:[Mm]issing|[Uu]ndefined|[Rr]equired|[Uu]nset)[^\\n]{0,40}?\\b${name}\\b`,
    `[Ee]nvironment variables?[^\\n]{0,20}?\\b${name}\\b`,
    `key not found: "${name}"`,
    `\\b${name}: (?:unbound variable|parameter not set|Required)`,
  ]
  return [...new Set(patterns.flatMap(it => matches(text, new RegExp(it, 'g'))))]
    .filter(it => it !== undefined)
    .filter(it => !/^(?:ERR_|E[A-Z]{4,}$|ERROR$|NODE_MODULE|HTTP|JSON|URL$)/.test(it))
}

/** A word that is a path with an extension, and its line: `/x/api/server.js:12`, `src/a.ts(3,1)`. */
const placePattern = /^[([]?(?:file:\/\/)?([\w@.+/-]+\.[A-Za-z]\w{0,5})(?:[:(](\d+))?/
/** Longer words are not paths: UTF-16 units. */
const longestPath = 300

/** Lists the files of the project that lines name, those with a line first. */
function filesIn(lines: readonly string[], place: Place): Evidence['files'] {
  const found = new Map<string, number | undefined>()
  for (const line of lines) {
    const words = line.replace(/", line (\d+)/g, ':$1').split(/[\s'"`<>]+/)
    for (const word of words.filter(it => it.length <= longestPath && it.includes('.'))) {
      const [, written, number] = placePattern.exec(word) ?? []
      const path = written === undefined ? undefined : pathIn(written, place)
      if (path === undefined || /(?:^|\/)node_modules\/|site-packages/.test(path)) continue
      if (!found.has(path) || (found.get(path) === undefined && number !== undefined))
        found.set(path, number === undefined ? undefined : Number(number))
    }
  }
  const all = [...found].map(([path, line]) => ({ path, line }))
  return [...all.filter(it => it.line !== undefined), ...all.filter(it => it.line === undefined)].slice(0, most)
}

/** Returns a path relative to the project's folder; undefined where it is outside. */
function pathIn(written: string, { root, dir }: Place): string | undefined {
  const plain = written.replace(/^file:\/\//, '').trim()
  const full = isAbsolute(plain) ? normalize(plain) : join(dir, plain)
  return isBelow(full, root) ? relative(root, full) : undefined
}
