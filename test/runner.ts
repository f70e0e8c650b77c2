/**
 * Runs test files, several at once, and prints their TAP: `node build/test/runner.js JOBS [FILE…]`, from the package's
 * folder; by default all of them, those that take longest first. tap's own runner starts files in alphabetical order,
 * and loads a module that follows what is imported into every Node.js process below it, also of locald: a fifth of all
 * processor time.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { slowest } from './slowest.ts'

/** Seconds after which a file that sets no limit of its own has failed. */
const limit = 120

const folder = join('build', 'test')

function compiled(source: string): string {
  const file = source.replace(/^test/, folder).replace(/\.ts$/, '.js')
  if (!existsSync(file)) throw new Error(`test/slowest.ts: there is no test ${source}`)
  return file
}

function all(): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter(name => name.endsWith('.test.js')).map(name => join(folder, name))
}

/** The slowest files first, so that none of them runs alone at the end; the others by name. */
function inOrder(files: readonly string[]): readonly string[] {
  const rank = new Map(slowest.map((source, index) => [compiled(source), index]))
  const of = (file: string) => rank.get(file) ?? slowest.length
  return [...files].sort((a, b) => of(a) - of(b) || a.localeCompare(b, 'en'))
}

/** Starts a file. `env` removes the module that `t.spawn` loads by NODE_OPTIONS. */
function start(file: string): void {
  t.spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', file], {
    name: file,
    at: null,
    stack: '',
    buffered: true,
    timeout: limit * 1000,
    env: { ...process.env, TAP_TIMEOUT: String(limit) },
  })
}

const [jobs, ...named] = process.argv.slice(2)
const files = inOrder(named.length === 0 ? all() : named.map(file => relative('.', file)))
t.setTimeout(0)
t.jobs = Number(jobs)
t.plan(files.length)
for (const file of files) start(file)
