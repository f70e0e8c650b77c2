import { parseArgs } from '../args/parse.ts'
import { type Candidate, findNext, type InService, type Next } from '../completion/candidates.ts'
import { locate } from '../context.ts'
import { print } from '../output/terminal.ts'

/**
 * `locald __complete -- WORD…`, which the completion scripts of shells run (Node.js itself reads `--env-file` where no
 * `--` precedes it): prints what may be typed in place of the last word, a tab and what it is; then in a last line
 * whether paths may be, `:files`, `:folders` or `:none`. It starts no daemon; the scripts drop its stderr.
 */
export async function complete(argv: readonly string[]): Promise<number> {
  const words = argv.slice(0, -1)
  // A quote that is still open.
  const current = (argv.at(-1) ?? '').replace(/^['"]/, '')
  const next = findNext(words, current)
  const names = next.names === 'none' ? [] : await listNames(next, words, current).catch(() => [])
  const declared = next.inService && (await listDeclared(next.inService, words, current).catch(() => undefined))
  const lines = [...next.words, ...names, ...(declared?.words ?? [])]
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, text }) => `${word}\t${text}`)
  print([...lines, `:${declared?.paths ?? next.paths}`].join('\n'))
  return 0
}

async function listDeclared(inService: InService, words: readonly string[], current: string) {
  const { findDeclared } = await import('../completion/declared.ts')
  const { paths, cwd } = locate(await readPlace(words.slice(0, words.length - inService.words.length)))
  return await findDeclared(paths, cwd, inService, current)
}

async function listNames(next: Next, words: readonly string[], current: string): Promise<readonly Candidate[]> {
  const { findNames } = await import('../completion/names.ts')
  const { paths, cwd } = locate(await readPlace(words))
  const { here, projects, keys } = await findNames(paths, cwd)
  const known = projects.map(word => ({ word, text: 'project' }))
  if (next.names === 'projects') return known
  const all = keys.map(word => ({ word, text: 'service' }))
  if (current.includes(':')) return all
  return [...here.map(word => ({ word, text: 'service' })), ...known, ...(here.length === 0 ? all : [])]
}

/** Reads `--sandbox` and `-C` of a command line that is not complete yet. */
async function readPlace(words: readonly string[]) {
  const isPlace = (word: string | undefined) => /^(?:--sandbox|--directory|-C)/.test(word ?? '')
  const isJoined = (word: string | undefined) => /^(?:--\w+=|-C.)/.test(word ?? '')
  return await parseArgs(
    words.filter((word, at) => isPlace(word) || (isPlace(words[at - 1]) && !isJoined(words[at - 1]))),
  )
}
