import { relative } from 'node:path'
import { Parser, type Result } from 'tap-parser'
import { root } from '../lib/user.ts'
import { type Row, rows } from './rows.ts'

/** The result of a test of the last run. */
type End = 'passed' | 'failed' | 'skipped'

/** Every test and subtest of a TAP report by its file and names, ` > ` between them. */
export function endsOf(tap: string): ReadonlyMap<string, End> {
  const ends = new Map<string, End>()
  const of = ({ ok, skip, todo }: Result): End => (skip || todo ? 'skipped' : ok ? 'passed' : 'failed')
  const look = (parser: Parser, path: readonly string[]) => {
    parser.on('child', child => look(child, [...path, path.length === 0 ? fileOf(child.name) : child.name]))
    parser.on('assert', result => {
      const key = [...path, path.length === 0 ? fileOf(result.name) : result.name].join(' > ')
      // Of several of one name the worst counts.
      if (ends.get(key) === undefined || of(result) !== 'passed') ends.set(key, of(result))
    })
  }
  const parser = new Parser()
  look(parser, [])
  parser.end(tap)
  return ends
}

function fileOf(name: string): string {
  const path = name.startsWith('/') ? relative(root, name) : name
  return path.replace(/^build\//, '').replace(/\.js$/, '.ts')
}

/** The results of several reports; of a file that was run again, the later ones. */
function endsOfAll(taps: readonly string[]): ReadonlyMap<string, End> {
  const ends = new Map<string, End>()
  for (const later of taps.map(endsOf)) {
    for (const key of ends.keys()) if (later.has(key.split(' > ')[0] ?? '')) ends.delete(key)
    for (const [key, end] of later) ends.set(key, end)
  }
  return ends
}

/** What the rows claim that the reports do not show: a test that was not run, failed, or was skipped, also in part. */
export function unshown(taps: readonly string[], all: readonly Row[] = rows): readonly string[] {
  const ends = endsOfAll(taps)
  const claims = new Set(all.flatMap(({ linux, mac }) => [...linux, ...mac]))
  return [...claims].flatMap(claim => {
    const end = ends.get(claim)
    if (end === undefined) return [`${claim}: it was not run`]
    if (end !== 'passed') return [`${claim}: ${end}`]
    const part = [...ends].find(([key, at]) => key.startsWith(`${claim} > `) && at !== 'passed')
    return part === undefined ? [] : [`${part[0]}: ${part[1]}`]
  })
}
