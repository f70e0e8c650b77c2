import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { catalogue, type ErrorCode, exitCodeOf } from '../../kernel/errors.ts'
import { code, root, sourcesOf } from '../lib/sources.ts'

const codes = Object.keys(catalogue).filter(isCode)

function isCode(name: string): name is ErrorCode {
  return Object.hasOwn(catalogue, name)
}

/** The sections of docs/errors.md by their headings. */
const sections = readFileSync(join(root, 'docs', 'errors.md'), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map(section => ({
    name: section.slice(0, section.indexOf('\n')),
    text: section.slice(section.indexOf('\n') + 1).trim(),
  }))

t.test('each code is documented once, in alphabetical order', async t => {
  t.strictSame(
    sections.map(({ name }) => name),
    [...codes].sort(),
  )
})

t.test('each section says what the code means, what to do, and the exit code it has', async t => {
  for (const { name, text } of sections) {
    const [meaning = '', ...advice] = text.split('\n\n')
    t.ok(meaning.length > 30, `${name} has a meaning`)
    t.ok(advice.length > 0, `${name} has advice`)
    const exitCode = /^Exit code (\d+)\. /.exec(meaning)?.[1]
    // What is the matter with a plugin is no command's failure: it is shown in the list of plugins.
    if (exitCode === undefined) t.match(meaning, /^The plugin is (?:off|broken): /, name)
    else if (isCode(name)) t.equal(Number(exitCode), exitCodeOf(name), name)
  }
})

t.test('uses each code', async t => {
  const sources = ['kernel', 'plugins', 'cli'].flatMap(sourcesOf).filter(({ file }) => file !== 'kernel/errors.ts')
  const used = new Set(
    sources.flatMap(({ text }) => [...code(text).matchAll(/'([A-Z]+(?:_[A-Z]+)*)'/g)].map(([, name]) => name)),
  )
  // The contract promises these to plugins, which may be the only ones to throw them.
  const contract = sources.filter(
    ({ file }) => file === 'kernel/contract/plugin.ts' || file.startsWith('kernel/contract/'),
  )
  const promised = (name: string) => contract.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text))
  t.strictSame(
    codes.filter(name => !used.has(name) && !promised(name)),
    [],
  )
})

t.test('HTTP statuses match those of errors', async t => {
  for (const name of codes) {
    const { kind, status } = catalogue[name]
    const isOurs = status >= 500 && status < 600
    t.ok(isOurs || (status >= 400 && status < 500), name)
    if (kind === 'usage') t.notOk(isOurs, `${name} is the caller's`)
  }
})
