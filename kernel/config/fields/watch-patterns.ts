import { posix, relative, resolve, sep } from 'node:path'
import type picomatchType from 'picomatch'

/** Folders that are skipped unless a `watch` pattern names them: dependencies, history, caches. */
const skipped = new Set([
  ...['node_modules', '.git', '.hg', '.svn', '.jj'],
  ...['.venv', '__pycache__', '.tox', '.mypy_cache', '.pytest_cache', '.ruff_cache', '.direnv'],
])

/**
 * Files by which tools mark a folder as a cache: Cargo's `target` (bford.info/cachedir), virtual environments of any
 * name.
 */
const cacheMarks = ['CACHEDIR.TAG', 'pyvenv.cfg']

/** Matches the temporary files of editors and file managers. */
const litter =
  /^(?:4913|\.DS_Store|Thumbs\.db|\.#.*|#.*#|.*~|.*\.sw[a-z]|.*___jb_(?:tmp|old)___|\.goutputstream-.*|\.~lock\..*)$/

type Picomatch = typeof picomatchType

/** One pattern: which files match, and which folders have to be watched for it. */
interface Pattern {
  readonly excludes: boolean
  fits(path: string): boolean
  /** Whether a file below this folder may fit. */
  mayFitBelow(folder: string): boolean
  /** Whether every file below this folder fits. */
  fitsAllBelow(folder: string): boolean
}

/** Returns what is wrong with a list of `watch` patterns; undefined where nothing is. */
export function faultOf(patterns: readonly string[]): string | undefined {
  if (patterns.some(pattern => pattern.trim() === '')) return 'must not have an empty pattern'
  const [first] = patterns
  if (first === undefined || !isExclusion(first)) return undefined
  return `begins with '${first}', which excludes from the patterns before it, and there is none`
}

/**
 * The `watch` patterns of a service, relative to its project's root. As in .gitignore the last pattern that matches
 * decides, and `!` excludes; a pattern whose last part is a plain name means that file, or all files below the folder
 * of that name.
 */
export class WatchPatterns {
  /** Files or folders (absolute) that contain all files that may match. */
  readonly bases: readonly string[]
  readonly #root: string
  readonly #patterns: readonly Pattern[]
  /** The names in all patterns: skipped folders and editors' files among them do count. */
  readonly #named: ReadonlySet<string>

  constructor(root: string, patterns: readonly string[], picomatch: Picomatch) {
    this.#root = root
    const all = patterns.map(written => ({ excludes: isExclusion(written), text: plainOf(root, written, picomatch) }))
    this.#patterns = all.map(({ excludes, text }) => patternOf(toComposed(text), excludes, picomatch))
    this.#named = new Set(all.flatMap(({ text }) => toComposed(text).split('/')))
    const wanted = all.filter(({ excludes }) => !excludes)
    this.bases = [...new Set(wanted.map(({ text }) => resolve(root, removeBackslashes(picomatch.scan(text).base))))]
  }

  /** Whether a change of this file (absolute) counts. */
  matches(file: string): boolean {
    const path = this.#inside(file)
    const name = posix.basename(path)
    if (litter.test(name) && !this.#named.has(name)) return false
    if (path.split('/').some(part => this.#skips(part))) return false
    return this.#patterns.reduce((fits, pattern) => (pattern.fits(path) ? !pattern.excludes : fits), false)
  }

  /** Whether a file below this folder (absolute) may count. */
  enters(folder: string): boolean {
    const path = this.#inside(folder)
    if (path.split('/').some(part => this.#skips(part))) return false
    const judge = (enters: boolean, pattern: Pattern) =>
      pattern.excludes ? enters && !pattern.fitsAllBelow(path) : enters || pattern.mayFitBelow(path)
    return this.#patterns.reduce(judge, false)
  }

  /** Whether a folder (absolute) with these entries is a cache that no pattern names. */
  isCache(folder: string, names: readonly string[]): boolean {
    return cacheMarks.some(mark => names.includes(mark)) && !this.#named.has(posix.basename(this.#inside(folder)))
  }

  #skips(part: string): boolean {
    return skipped.has(part) && !this.#named.has(part)
  }

  #inside(path: string): string {
    return toComposed(relative(this.#root, path).split(sep).join('/'))
  }
}

/** Whether a pattern begins with `!`; `!(a|b)` is an extended glob. */
function isExclusion(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(')
}

/** Returns a pattern relative to the root, without `!`, `./` and a trailing slash. */
function plainOf(root: string, written: string, picomatch: Picomatch): string {
  const pattern = isExclusion(written) ? written.slice(1) : written
  const { base, glob } = picomatch.scan(pattern)
  const inside = relative(root, resolve(root, base)).split(sep).join('/')
  const isFolder = /[^\\]\/+$/.test(pattern)
  const text = [inside, glob.replace(/\/+$/, '')].filter(part => part !== '').join('/')
  if (text === '') return '**'
  return isFolder ? `${text}/**` : text
}

/** Normalizes to NFC: macOS decomposes the letters of names (NFD), keyboards compose them. */
function toComposed(text: string): string {
  return text.normalize('NFC')
}

function removeBackslashes(path: string): string {
  return path.replace(/\\(.)/g, '$1')
}

/** Escapes a part that may be a name: `[id]`, `[...slug]` and `(group)` are names of files and folders, too. */
function asName(part: string): string {
  return /[*?{|]/.test(part) ? part : part.replace(/[[\]()!+@]/g, '\\$&')
}

function patternOf(text: string, excludes: boolean, picomatch: Picomatch): Pattern {
  const options = { dot: true, posix: true }
  const parts = text.split('/')
  const readings = [...new Set([text, parts.map(asName).join('/')])]
  const own = picomatch(readings, options)
  const last = parts.at(-1) ?? ''
  const isName = !picomatch.scan(last).isGlob
  const below = isName
    ? picomatch(
        readings.map(reading => `${reading}/**`),
        options,
      )
    : undefined
  // With a slash within braces the parts cannot be matched one by one.
  const isSimple = !/[({][^)}]*\//.test(text)
  const matchers = parts.map(part => (part === '**' ? undefined : picomatch(part, options)))
  const isAsWritten = (path: string) => path === text || path.startsWith(`${text}/`)
  const mayFitBelow = (folder: string): boolean => {
    if (folder === '' || !isSimple || isAsWritten(folder)) return true
    const names = folder.split('/')
    for (const [index, name] of names.entries()) {
      const matcher = matchers[index]
      if (index >= matchers.length) return isName || parts.at(-1) === '**'
      if (matcher === undefined) return true
      if (name !== parts[index] && !matcher(name)) return false
    }
    return names.length < parts.length || isName
  }
  return {
    excludes,
    fits: path => isAsWritten(path) || own(path) || below?.(path) === true,
    mayFitBelow,
    fitsAllBelow: folder =>
      isAsWritten(folder) || (isName && (own(folder) || below?.(folder) === true)) || (last === '**' && own(folder)),
  }
}
