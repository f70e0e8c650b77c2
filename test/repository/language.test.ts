// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it looks for such text.
/**
 * The first four rules of CONTRIBUTING.md's section on language. Rules 1 and 2 take their words from that page. What
 * another program says, or what a file of an earlier version holds, is on the allow list, with the reason.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { aboutBreaches, type Breach, hintBreaches, unusedWords, wordBreaches } from '../lib/language.ts'
import { root } from '../lib/sources.ts'

const { dialect, terms } = unusedWords(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8'))
const words = [...dialect, ...terms]

/** Breaches that stay, by a part of their file's name and of their excerpt. */
const allowed: readonly { readonly file: string; readonly excerpt: string; readonly why: string }[] = [
  { file: 'plugins/postgres/server/account.ts', excerpt: 'nobody', why: "the name of the system's user" },
  { file: 'kernel/services/service.ts', excerpt: 'gone', why: 'the name of a hook that plugins of other versions tap' },
  { file: 'kernel/contract/contributions/hooks.ts', excerpt: 'gone', why: 'the name of that hook' },
  { file: 'kernel/plugins/hooks.ts', excerpt: 'gone', why: 'the name of that hook' },
  { file: 'docs/plugins.md', excerpt: '`gone`', why: 'the name of that hook' },
  { file: 'test/kernel/plugins/hooks.test.ts', excerpt: 'gone', why: 'the name of that hook' },
  { file: 'test/kernel/services/', excerpt: 'gone web', why: 'the name of that hook' },
  { file: 'test/kernel/projects/guests.test.ts', excerpt: 'gone', why: 'the name of that hook' },
  { file: 'test/lib/test-service.ts', excerpt: 'gone', why: 'the name of that hook' },
  { file: 'test/lib/prose.ts', excerpt: 'endedAt', why: 'an example of the rule' },
  { file: 'test/mac/watched.ts', excerpt: 'tell application', why: 'AppleScript' },
  { file: 'test/native/keeper/keeper.test.ts', excerpt: 'endedMs', why: 'a key of the exit record' },
  { file: '.ts', excerpt: 'writableEnded', why: "the name of a stream's property in Node" },
  { file: '.ts', excerpt: 'readableEnded', why: "the name of a stream's property in Node" },
]

/** What these tests are made of, data of others, and what was released: their words are not ours to choose. */
const isExempt = (file: string) =>
  /^(?:CHANGELOG|CONTRIBUTING)\.md$|package-lock\.json$|\/(?:corpus|recorded)\//.test(file) ||
  ['test/lib/language.ts', 'test/repository/language.test.ts'].includes(file)
const isText = (file: string) =>
  /\.(?:tsx?|js|mjs|css|html|c|h|md|sh|py|toml|yml)$|^(?:\.ci|examples|test)\/(?:[\w-]+\/)*[\w-]+$/.test(file)

const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 24 })
  .split('\0')
  .filter(file => isText(file) && !isExempt(file))
const sources = files.filter(file => /^(?:cli|kernel|plugins)\/.*\.tsx?$/.test(file))
const textOf = (file: string) => {
  try {
    return readFileSync(join(root, file), 'utf8')
  } catch {
    // Deleted, but not committed yet.
    return ''
  }
}

/** Expects no breaches but the allowed ones; prints each as one line. */
function check(t: Test, found: readonly Breach[]): void {
  const wrong = found.filter(
    ({ file, excerpt }) => !allowed.some(it => file.includes(it.file) && excerpt.includes(it.excerpt)),
  )
  t.strictSame(
    wrong.map(({ file, line, kind, what, excerpt }) => `${file}:${line} ${kind}, ${what}: ${excerpt}`),
    [],
  )
}

t.test('no dialect, and one term for each thing', async t => {
  t.ok(dialect.length > 30 && terms.length > 10, `${dialect.length} words, ${terms.length} terms`)
  t.ok(files.length > 400, `${files.length} files`)
  check(
    t,
    files.flatMap(file => wordBreaches(file, textOf(file), words)),
  )
})

t.test('a hint is an imperative, and no message begins with "it"', async t => {
  check(
    t,
    sources.flatMap(file => hintBreaches(file, textOf(file))),
  )
})

t.test('flags and commands begin with a verb, in at most 50 characters', async t => {
  check(
    t,
    sources.flatMap(file => aboutBreaches(file, textOf(file))),
  )
})

t.test('each allowed breach exists', async t => {
  for (const { file, excerpt, why } of allowed) {
    t.ok(why.length > 10)
    const found = files
      .filter(name => name.includes(file))
      .flatMap(name => wordBreaches(name, textOf(name), words))
      .some(breach => breach.excerpt.includes(excerpt))
    t.ok(found, `${file}: ${excerpt}`)
  }
})

t.test('the rules detect violations', async t => {
  const wrong: readonly [string, string, string][] = [
    ['kernel/a.ts', "const a = 'the user is told'", 'told'],
    ['kernel/a.ts', 'const a = `${`${b}`} is gone ${c}`', 'gone'],
    ['kernel/a.ts', 'const a = `x ${b ? "it ended" : ""}`', 'ended'],
    ['kernel/a.ts', '// Nobody listens.', 'nobody'],
    ['kernel/a.ts', 'const a = b / c // taken\n\n/* It is taken\n * over. */', 'taken over'],
    ['kernel/a.ts', 'const hasEnded = true', 'ended'],
    ['kernel/a.ts', 'class A { #mendIt() {} }', 'mend'],
    ['kernel/a.ts', "t.match(a, /it's gone/)", 'gone'],
    ['native/a.c', "char quote = '\"'; /* whoever asks */", 'whoever'],
    ['native/a.h', '#define GONE 1', 'gone'],
    ['docs/a.md', 'The process ends.', 'ends'],
    ['.ci/run', '# Once more.', 'once more'],
    ['kernel/a.ts', "const a = 'port 80 is taken by nginx'", 'is taken by'],
  ]
  for (const [file, text, what] of wrong)
    t.strictSame(
      wordBreaches(file, text, words).map(it => it.what),
      [what],
      text,
    )
  const right: readonly [string, string][] = [
    ['kernel/a.ts', "import a from 'bygone'\nconst a = 'a line ends with CRLF'"],
    ['kernel/a.ts', 'const a = `both ends of ${pipe}`'],
    ['kernel/a.ts', 'const extended = /[/"]/.test(a) || b'],
    ['kernel/a.ts', '/** A well-known name. */ const retold = 1'],
    ['docs/a.md', 'It exits, and is restarted automatically, as `nobody`. The line ends with a newline.'],
  ]
  for (const [file, text] of right) t.strictSame(wordBreaches(file, text, words), [], text)

  const hints: readonly [string, string | undefined][] = [
    ["{ hint: 'Run `locald up`.' }", undefined],
    ["{ hint: a === 'x' ? 'Set HOME.' : `Check ${b(', ')}.` }", undefined],
    ["{ hint: a ? undefined : 'Does it listen?' }", 'a question'],
    ["{ hint: 'Run it', message: `it ${b}` }", 'begins with it'],
    ["{ fix: 'The log says more.' }", 'tells more'],
    ["const hint = `It is ${a}`\nconst b = 'x'", 'no imperative'],
    ["{ hint: `Did you mean '${a}'?` }", undefined],
  ]
  for (const [text, what] of hints)
    t.strictSame(
      hintBreaches('a.ts', text).map(it => it.what),
      what === undefined ? [] : [what],
      text,
    )

  const abouts: readonly [string, string | undefined][] = [
    ["{ about: 'Show the log' }", undefined],
    ["{ about: 'Also show what passed' }", undefined],
    ["{ about: 'Show what passed, too' }", '"also" goes first'],
    ["{ about: 'The last lines' }", 'no verb'],
    [`{ about: 'Show ${'x'.repeat(50)}' }`, '55 characters'],
  ]
  for (const [text, what] of abouts)
    t.strictSame(
      aboutBreaches('a.ts', text).map(it => it.what),
      what === undefined ? [] : [what],
      text,
    )
})
