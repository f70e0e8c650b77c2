import { isDeepStrictEqual } from 'node:util'
import { parse } from 'smol-toml'
import t from 'tap'
import { isToml10 } from '../../../cli/edit/document.ts'
import { applyEdit } from '../../../cli/edit/edit.ts'
import type { TomlValue } from '../../../cli/init/toml.ts'

/** Random numbers from a seed (mulberry32): the same files in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Pick = <T>(values: readonly [T, ...T[]]) => T

/** A value of a file: how it is written, where it is, and what is around it on its line. */
interface Written {
  readonly path: readonly string[]
  readonly raw: string
  /** Its whole line, with the line end; undefined where it is not alone on one. */
  readonly line: string | undefined
}

interface GeneratedFile {
  readonly text: string
  readonly values: readonly Written[]
}

/** Makes the file of a project: comments, quotes, white space, line breaks and kinds of tables vary. */
function generate(pick: Pick, unique: () => number): GeneratedFile {
  const eol = pick(['\n', '\n', '\r\n'])
  const indent = pick(['', '', '  ', '\t'])
  const equals = pick([' = ', '=', '   =  '])
  const gap = pick([eol, eol, eol, '', eol + eol])
  const values: Written[] = []
  const comment = () => pick(['', '', ' # note', '\t# [services.fake] "x" = {', ' #😀 ünï'])
  const raw = () => {
    const id = unique()
    return pick([
      `${id}`,
      `"text ${id} \\" \\u00e9"`,
      `'literal ${id} \\ "'`,
      `[${id}, 1, [2, 3]]`,
      `[ # in${eol}  ${id}, # one${eol}  2,${eol}]`,
      `"""${eol}line ${id}${eol}[services.inner]${eol}"""`,
      `'''${eol}a = ${id} # no${eol}'''`,
      `{ type = "http", path = "/${id}", "odd key" = [1] }`,
      'true',
      `1979-05-27T07:32:00Z`,
      `${id}.5e3`,
      `0x${id.toString(16)}`,
    ])
  }
  const line = (path: readonly string[], key: string) => {
    const written = raw()
    const isWhole = !/^(?:true|1979)/.test(written)
    const text = `${indent}${key}${equals}${written}${comment()}${eol}`
    if (isWhole) values.push({ path, raw: written, line: text })
    return text
  }
  const keys = ['command', 'port', 'workdir', 'env_file', 'watch', 'restart']
  const some = () => keys.slice(pick([0, 1, 2]), pick([3, 4, 6]))
  const service = (name: string): string => {
    const key = name.includes(' ') ? `"${name}"` : name
    const lines = some().map(each => line(['services', name, each], pick([each, `"${each}"`, `'${each}'`])))
    const below = pick(['', '', `# port = 1${eol}`, `${eol}# apart${eol}`])
    const nested = pick([
      '',
      `${gap}[services.${key}.env]${eol}${line(['services', name, 'env', 'A'], 'A')}`,
      `${gap}[ services . ${key} . health_check ] # hc${eol}${line(['services', name, 'health_check', 'path'], 'path')}`,
    ])
    return `[services.${key}]${comment()}${eol}${lines.join('')}${below}${nested}`
  }
  const inline = (name: string): string => {
    const pairs = some().map(each => {
      const written = `${unique()}`
      values.push({ path: ['services', name, each], raw: written, line: undefined })
      return `${each} = ${written}`
    })
    return `${name} = { ${pairs.join(', ')} }${comment()}${eol}`
  }
  const dotted = (name: string): string =>
    some()
      .map(each => line(['services', name, each], `${name}.${each}`))
      .join('')
  const project = `[project]${eol}${line(['project', 'name'], 'name')}`
  const services = pick([
    () => [service('web'), service('db'), service('a b')],
    () => [service('web')],
    () => [`[services]${eol}${inline('web')}${inline('db')}`],
    () => [`[services]${eol}${dotted('web')}${inline('db')}${dotted('api')}`],
    () => [`[services]${eol}`, service('web')],
    () => [],
  ])()
  const others = [
    pick(['', `[env]${eol}${line(['env', 'LOG'], 'LOG')}`]),
    ...services,
    pick(['', `# the routes${eol}[routes]${eol}"/api" = "web"${eol}`]),
    pick(['', `[[extra]]${eol}a = 1${eol}${gap}[[extra]]${eol}a = 2${eol}`]),
  ].filter(part => part !== '')
  const head = pick(['', '', '\uFEFF', `# head${eol}${eol}`, `\uFEFF#:schema ./x.json${eol}`])
  const text = head + [project, ...others].join(gap)
  const isCut = pick([false, false, true]) && text.endsWith(eol)
  return { text: isCut ? text.slice(0, -eol.length) : text, values }
}

function parsed(text: string): object {
  return parse(text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'))
}

/** Returns tables with a value changed. */
function change(table: object, [key = '', ...rest]: readonly string[], value: unknown): object {
  const inner: unknown = Object.entries(table).find(([name]) => name === key)?.[1]
  const isTable = typeof inner === 'object' && inner !== null
  return { ...table, [key]: rest.length === 0 ? value : change(isTable ? inner : {}, rest, value) }
}

const same = (one: unknown, other: unknown) =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))

/** Returns what was put into a text; undefined where anything else of it changed. */
function inserted(before: string, after: string): string | undefined {
  let start = 0
  while (start < before.length && before[start] === after[start]) start++
  const length = after.length - before.length
  return length >= 0 && before.slice(start) === after.slice(start + length)
    ? after.slice(start, start + length)
    : undefined
}

/** Returns what a file may contain without a service: one that only its keys have made disappears with the last. */
function without(file: object, service: string): readonly object[] {
  const { services, ...others }: { services?: object } = { ...file }
  const left = Object.fromEntries(Object.entries(services ?? {}).filter(([name]) => name !== service))
  return [{ ...others, services: left }, ...(Object.keys(left).length === 0 ? [others] : [])]
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0
  for (const character of whole) if (part[at] === character || part.startsWith(character, at)) at += character.length
  return at === part.length
}

/**
 * Whether a table that was added and removed left the file as it was: a file without empty lines may have got one, and a
 * comment right above the table went with it.
 */
function isSameBut(back: string | undefined, text: string, added: string): boolean {
  const lines = (whole = '') => whole.replace(/(?:\r?\n)+/g, '\n')
  return lines(back) === lines(text) || /^[ \t]*#[^\n]*\n[ \t]*\[services\.new\]/m.test(added)
}

function lineAt(text: string, part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length
}

const files = 240
const newValues: readonly [TomlValue, ...TomlValue[]] = [
  'plain',
  'quotes " and \' and \\',
  'two\nlines\n',
  80,
  true,
  ['a', 'b\tc'],
  { type: 'http', path: '/x' },
  '\u0000\u007f 😀',
]

t.test(`each edit of ${files} generated files changes only its own bytes`, async t => {
  const next = random(20_260_215)
  const pick: Pick = values => values[Math.floor(next() * values.length)] ?? values[0]
  let id = 100_000
  let edits = 0
  for (let index = 0; index < files; index++) {
    const { text, values } = generate(pick, () => id++)
    const before = parsed(text)
    const fail = (what: string, after: string | undefined) =>
      t.fail(`file ${index}: ${what}`, { text, after: after ?? 'refused' })
    if (!isToml10(text.replace(/^\uFEFF/, ''))) fail('the generator made no TOML 1.0', undefined)

    const value = pick(newValues)
    const entries = [
      { key: 'command', value: 'run' },
      { key: 'odd key', value },
    ]
    const added = applyEdit(text, { kind: 'add', section: { header: ['services', 'new'], entries } })
    edits++
    const put = added === undefined ? undefined : inserted(text, added)
    if (added === undefined || put === undefined || !put.includes('new')) fail('add', added)
    else {
      if (!same(parsed(added), change(before, ['services', 'new'], { command: 'run', 'odd key': value })))
        fail('add means something else', added)
      if (/\r\n/.test(text) && /(?<!\r)\n/.test(put)) fail('add mixes line breaks', added)
      if (text.endsWith('\n') !== added.endsWith('\n')) fail('add changes the last line break', added)
      const back = applyEdit(added, { kind: 'remove-table', path: ['services', 'new'] })
      edits++
      if (!isSameBut(back, text, added)) fail('a table that was added and removed leaves something', back)
    }

    const names = new Set(values.flatMap(({ path: [top, name = ''] }) => (top === 'services' ? [name] : [])))
    for (const name of names) {
      const path = ['services', name]
      const removed = applyEdit(text, { kind: 'remove-table', path })
      const blanked = applyEdit(text, { kind: 'remove-table', path, keepsLines: true })
      edits += 2
      if (removed === undefined || blanked === undefined) {
        fail(`remove ${name}`, removed)
        continue
      }
      const meant = without(before, name)
      if (!meant.some(each => same(parsed(removed), each))) fail(`remove ${name} means something else`, removed)
      if (!same(parsed(blanked), parsed(removed))) fail(`empty lines for ${name} mean something else`, blanked)
      if (!isSubsequence(removed, text) && !removed.includes('{}')) fail(`remove ${name} writes something`, removed)
      if (text.endsWith('\n') !== removed.endsWith('\n') && removed !== '')
        fail(`remove ${name} changes the last line break`, removed)
      for (const { path, raw, line } of values) {
        if (text.split(raw).length !== 2) continue
        const isOfService = path[0] === 'services' && path[1] === name
        if (removed.includes(raw) === isOfService) fail(`remove ${name}: ${path.join('.')}`, removed)
        if (isOfService || line === undefined) continue
        if (!removed.includes(line.trimEnd())) fail(`remove ${name} changes the line of ${path.join('.')}`, removed)
        if (lineAt(blanked, raw) !== lineAt(text, raw)) fail(`empty lines for ${name} move ${path.join('.')}`, blanked)
      }
    }

    for (const { path, raw, line } of values) {
      if (text.split(raw).length !== 2) continue
      const set = applyEdit(text, { kind: 'set', path, value })
      edits++
      const at = text.indexOf(raw)
      const isKept = set?.startsWith(text.slice(0, at)) && set.endsWith(text.slice(at + raw.length))
      if (set === undefined || isKept !== true) fail(`set ${path.join('.')}`, set)
      else if (!same(parsed(set), change(before, path, value))) fail(`set ${path.join('.')} means something else`, set)

      const removed = applyEdit(text, { kind: 'remove', path })
      edits++
      if (line === undefined || !text.includes(line)) {
        if (removed === undefined || inserted(removed, text) === undefined) fail(`remove ${path.join('.')}`, removed)
      } else if (removed !== text.replace(line, () => '')) fail(`remove ${path.join('.')}`, removed)
    }

    const tables = [...new Set(values.map(({ path }) => path.slice(0, -1).join('\0')))]
    for (const table of tables) {
      const path = [...table.split('\0'), 'fresh']
      const set = applyEdit(text, { kind: 'set', path, value })
      edits++
      if (set === undefined || inserted(text, set) === undefined) fail(`new key ${path.join('.')}`, set)
      else if (!same(parsed(set), change(before, path, value)))
        fail(`new key ${path.join('.')} means something else`, set)
    }
  }
  t.ok(edits > files * 8, `${edits} edits`)
})
