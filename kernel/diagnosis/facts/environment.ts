import { resolve } from 'node:path'
import { readTextFile } from '../../lib/text-file.ts'
import { exists } from '../../system/stat.ts'
import { type Case, type Fact, likely, listOf, shellWord } from '../fact.ts'
import { readSources, shellSource, type VariableSources } from '../variable-sources.ts'
import { hashValues } from '../well-watch.ts'

/** Templates of a `.env` file, which projects commit. */
const templates = ['.env.example', '.env.sample', '.env.template', '.env.dist']

/** A variable that differs from when the service was well. */
interface ChangedVariable {
  readonly name: string
  readonly how: 'removed' | 'changed' | 'added'
  /** The file that sets it, or did; `shellSource`: the shell. */
  readonly source: string
}

/** Finds variables that have changed, `.env` files that were deleted, and variables that the output calls missing. */
export async function environmentFacts(it: Case): Promise<readonly Fact[]> {
  const present = await readSources(it, Object.keys(it.env))
  const changed = changedVariables(it, present)
  const deleted = (it.before?.envFiles ?? []).filter(file => !present.envFiles.includes(file))
  const facts = await Promise.all([
    ...deleted.map(file => deletedFile(it, file, changed)),
    ...changed
      .filter(({ source }) => source !== shellSource && !deleted.includes(source))
      .map(variable => changedVariable(it, variable)),
    ...addressOf(it, changed, present),
    ...missingVariables(it, changed, present),
  ])
  const ofShell = changed.filter(({ source }) => source === shellSource)
  return [...facts, ...shellFacts(it, ofShell)]
}

function changedVariables(it: Case, present: VariableSources): readonly ChangedVariable[] {
  const { before, env } = it
  if (before === undefined) return []
  const now = hashValues(env, Object.keys(present.sources), it.hash)
  const names = [...new Set([...Object.keys(before.env), ...Object.keys(now)])].sort()
  return names.flatMap((name): readonly ChangedVariable[] => {
    const source = present.sources[name] ?? before.sources[name] ?? shellSource
    if (now[name] === before.env[name]) return []
    if (now[name] === undefined) {
      // Another layer, such as locald's own, may set it now.
      return env[name] === undefined ? [{ name, how: 'removed', source: before.sources[name] ?? shellSource }] : []
    }
    return [{ name, how: before.env[name] === undefined ? 'added' : 'changed', source }]
  })
}

async function deletedFile(it: Case, file: string, changed: readonly ChangedVariable[]): Promise<Fact> {
  const names = changed.filter(({ source, how }) => source === file && how === 'removed').map(({ name }) => name)
  const isNamed = it.evidence.missing.includes(file) || names.some(name => isMentioned(it, name))
  return {
    score: isNamed ? likely.proven : likely.changed + 10,
    kind: 'environment',
    text: `${file} was deleted${names.length === 0 ? '' : `, which set ${listOf(names)}`}`,
    command: await restoring(it, file),
    atMs: null,
  }
}

/** Returns the command that brings a deleted file back. */
async function restoring({ git, root }: Case, file: string): Promise<string | null> {
  if (git?.isTracked(file) === true) return `git checkout HEAD -- ${shellWord(file)}`
  for (const template of templates)
    if (await exists(resolve(root, template))) return `cp ${template} ${shellWord(file)}`
  return null
}

async function changedVariable(it: Case, { name, how, source }: ChangedVariable): Promise<Fact> {
  const isNamed = isMentioned(it, name) || reachesRefused(it, name)
  const base = how === 'removed' ? likely.changed + 2 : how === 'changed' ? likely.changed : likely.distant
  return {
    score: isNamed ? likely.proven - (how === 'added' ? 10 : 0) : base,
    kind: 'environment',
    text: `${name} was ${how}${how === 'removed' ? ' from' : how === 'added' ? ' to' : ' in'} ${source}${refusedText(it, name)}`,
    command: await showing(it, name, how, source),
    atMs: null,
  }
}

/** Returns the command that shows where a variable is, or was, set. */
async function showing(it: Case, name: string, how: ChangedVariable['how'], source: string): Promise<string | null> {
  const { git, before, root } = it
  if (git?.isTracked(source) === true) {
    const since = git.committed.has(source) && before !== undefined ? `${before.head.slice(0, 12)} ` : ''
    return `git diff ${since}-- ${shellWord(source)}`
  }
  if (how !== 'removed') return `grep -n ${name} ${shellWord(source)}`
  for (const template of templates) {
    const read = await readTextFile(resolve(root, template))
    if (read !== undefined && 'text' in read && read.text.includes(name)) return `grep -n ${name} ${template}`
  }
  return null
}

function shellFacts(it: Case, changed: readonly ChangedVariable[]): readonly Fact[] {
  const fact = (names: readonly string[], score: number): readonly Fact[] =>
    names.length === 0
      ? []
      : [
          {
            ...{ score, kind: 'environment', atMs: null },
            text: `${listOf(names)} ${names.length === 1 ? 'differs' : 'differ'} in the shell of the last start`,
            command: `locald restart ${shellWord(it.plan.name)}`,
          },
        ]
  const named = changed.filter(({ name }) => isMentioned(it, name)).map(({ name }) => name)
  const others = changed.map(({ name }) => name).filter(name => !named.includes(name))
  return [...fact(named, likely.named), ...fact(others, likely.distant + 5)]
}

/** Explains a refused connection by the variable that names its address, which has not changed itself. */
function addressOf(
  it: Case,
  changed: readonly ChangedVariable[],
  { sources }: VariableSources,
): readonly Promise<Fact>[] {
  const { refused } = it.evidence
  if (refused === undefined) return []
  const names = Object.keys(sources).filter(name => reachesRefused(it, name))
  return names
    .filter(name => !changed.some(other => other.name === name))
    .map(async name => ({
      score: likely.reported - 5,
      kind: 'environment',
      text: `${name} names ${refused.host}:${refused.port}, where the connection was refused`,
      command: sources[name] ? `grep -n ${name} ${shellWord(sources[name])}` : null,
      atMs: null,
    }))
}

/** Explains that the output calls a variable missing, which is not set and never was, as far as is known. */
function missingVariables(
  it: Case,
  changed: readonly ChangedVariable[],
  present: VariableSources,
): readonly Promise<Fact>[] {
  return it.evidence.variables
    .filter(name => it.env[name] === undefined && !changed.some(other => other.name === name))
    .map(async name => ({
      score: likely.named,
      kind: 'environment',
      text: `${name} is not set${present.envFiles.length === 0 ? ', and there is no .env' : ''}`,
      command: present.envFiles.length === 0 ? await restoring(it, '.env') : await showing(it, name, 'removed', ''),
      atMs: null,
    }))
}

/** Whether the output names a variable. */
function isMentioned({ evidence }: Case, name: string): boolean {
  return (
    name.length > 2 && new RegExp(`(?<![A-Za-z0-9_])${name.replaceAll('.', '\\.')}(?![A-Za-z0-9_])`).test(evidence.text)
  )
}

/** Whether a variable's value names the place where a connection was refused, or a host that was not found. */
function reachesRefused({ evidence: { refused, unknownHost }, env }: Case, name: string): boolean {
  const value = env[name] ?? ''
  if (unknownHost !== undefined && value.includes(unknownHost)) return true
  return refused !== undefined && new RegExp(`(?<!\\d)${refused.port}(?!\\d)`).test(value)
}

function refusedText(it: Case, name: string): string {
  const { refused, unknownHost } = it.evidence
  if (!reachesRefused(it, name)) return ''
  if (refused !== undefined) return `, and the connection to ${refused.host}:${refused.port} is refused`
  return `, and ${unknownHost} is not found`
}
