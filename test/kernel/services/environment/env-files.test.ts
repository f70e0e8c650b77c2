// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of locald, not of JavaScript.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EnvFiles } from '../../../../kernel/config/sources/env-files.ts'
import { Trust } from '../../../../kernel/config/trust/trust.ts'
import { environmentOf } from '../../../../kernel/services/environment/environment.ts'
import { env, failure, inputOf } from './harness.ts'

t.test('.env files', async t => {
  const text = [
    'PLAIN=a # comment',
    'export EXPORTED="b c"',
    'WEAKER=${FROM_SHELL}/${PLAIN}',
    "SINGLE='${PLAIN} $${x'",
    'DOUBLE="${PLAIN}"',
    'UNKNOWN=${NOT_SET} ${not-a-name} ${',
    'FALLBACK=${NOT_SET:-d}',
    'LATER=${AFTER}',
    'AFTER=z',
    'MULTI="one',
    'two ${PLAIN}"',
    'LAST=1',
    'not an entry',
    'LAST=2',
    'P$S=1',
    'EMPTY=',
  ].join('\r\n')
  const input = inputOf({ files: { '.env': `\uFEFF${text}` }, shell: { FROM_SHELL: 's' } })
  const { env, origins } = await environmentOf(input)
  t.strictSame(env, {
    FROM_SHELL: 's',
    PLAIN: 'a',
    EXPORTED: 'b c',
    WEAKER: 's/a',
    SINGLE: '${PLAIN} $${x',
    DOUBLE: 'a',
    UNKNOWN: '${NOT_SET} ${not-a-name} ${',
    FALLBACK: 'd',
    LATER: '${AFTER}',
    AFTER: 'z',
    MULTI: 'one\ntwo a',
    LAST: '2',
    EMPTY: '',
  })
  const lines = Object.fromEntries([...(await origins())].map(([name, [first]]) => [name, first?.line]))
  t.match(lines, { PLAIN: 1, EXPORTED: 2, AFTER: 9, MULTI: 10, LAST: 14, EMPTY: 16 })
})

t.test('.env files with many references stay fast', async t => {
  for (const text of ['${A:-', '${A:?', '${-', '${A:-${B} ', '${A:-$${']) {
    const value = text.repeat(Math.floor(1_000_000 / text.length))
    const start = performance.now()
    const { X = '' } = await env({ files: { '.env': `X="${value}"` } })
    t.ok(X === value.replaceAll('$${', () => '${'), `${text}: as written`)
    t.ok(performance.now() - start < 10_000, 'not tried again and again')
  }
})

t.test('a megabyte of empty lines parses quickly', async t => {
  const lines = '\n'.repeat(500_000)
  const start = performance.now()
  t.strictSame(await env({ files: { '.env': `${lines}A=1${lines}` } }), { A: '1' })
  t.ok(performance.now() - start < 10_000)
})

t.test('reports missing and unreadable files', async t => {
  t.strictSame(await env({ files: {} }), {}, 'no .env is right')
  const missing = await failure({ files: { one: '' }, envFile: ['one', 'two'] })
  t.match(missing, {
    code: 'CONFIG_INVALID',
    service: 'web',
    message: /locald\.toml:31: services\.web\.env_file: file 'two' does not exist$/,
  })
  t.match(await failure({ files: { one: 'A=\xff'.repeat(300_000) }, envFile: ['one'] }), {
    code: 'CONFIG_UNREADABLE',
    message: /larger than 1 MiB/,
  })
  const folder = inputOf({})
  mkdirSync(join(folder.plan.path, '.env'))
  t.strictSame((await environmentOf(folder)).env, {}, 'a virtual environment of Python')
})

t.test('reports bytes that are not UTF-8', async t => {
  const latin = (text: string) => ({ '.env': Buffer.from(text, 'latin1') })
  t.strictSame(
    await env({ files: latin('# gr\xfc\xdfe\nA=1 # \xfc\n  #\xe4\nB="x"\n') }),
    { A: '1', B: 'x' },
    'in comments',
  )
  for (const [text, line] of [
    ['A=1\nB=\xfc\n', 2],
    ['\n\nA="x\n#\xfc"\n', 3],
    ['# \xfc\nA=1\n\xfc=2\n', 3],
  ] as const) {
    const message = new RegExp(`: line ${line} is not UTF-8 text$`)
    t.match(await failure({ files: latin(text) }), { code: 'CONFIG_UNREADABLE', message }, JSON.stringify(text))
  }
  const message = /: line 2 has a NUL character/
  t.match(await failure({ files: { '.env': '# \0\nA=1\0\n' } }), { code: 'CONFIG_UNREADABLE', message })
  t.strictSame(await env({ files: { '.env': 'A=1 # \0\n' } }), { A: '1' }, 'a NUL in a comment')
  const utf16 = Buffer.from('\nA=1\n', 'utf16le')
  t.match(await failure({ files: { '.env': utf16 } }), { message: /: line 2 has a NUL/ }, 'UTF-16 without a mark')
})

t.test('warns of lines without an entry and of unclosed quotes', async t => {
  const read = async (text: string) => {
    const { plan } = inputOf({ files: { '.env': text } })
    const files = new EnvFiles({ trust: new Trust(), root: plan.path })
    await files.read(join(plan.path, '.env'), true)
    return files.warnings.map(({ message }) => message)
  }
  const right = '# c\n\n  # d\nA=1 # c\nexport B="x\ny=1\n"\nC: z\nD=\nE="C:\\"\nF=it\'s\nG=`q`\n'
  t.strictSame(await read(right), [])
  t.strictSame(await read('A=1\nsecret words\n'), ['.env:2: the line is no entry and is ignored'])
  const stray = 'export FOO\n\nA B=1\r\n[x]\n=x\nA+=1\n'
  t.strictSame(await read(stray), ['.env:1: the line is no entry and is ignored (the same in line 3, 4, 5, 6)'])
  const junk = await read('x\n'.repeat(100))
  t.strictSame(junk, ['.env:1: the line is no entry and is ignored (the same in line 2, 3, 4, 5 and 95 more)'])
  for (const text of ['A="x', "A='x\nB=1", 'A="x" y', 'A="', 'A="x#y'])
    t.match(await read(text), [/^\.env:1: nothing closes the quote/], text)
})

t.test('a comment needs a space before it', async t => {
  const lines =
    'P=ab#cd\nC=#fff\nU=http://x/#/a?b#c # note\nN= # none\nE=#\nQ="a#b"#c\nS=\'d#e\' # f\nY: g#h\nZ=1 #2 #3\nL=last#1\nL=2\n'
  t.strictSame(await env({ files: { '.env': lines } }), {
    ...{ P: 'ab#cd', C: '#fff', U: 'http://x/#/a?b#c', N: '', E: '#', Q: 'a#b', S: 'd#e', Y: 'g#h', Z: '1', L: '2' },
  })
})

t.test('reads a pipe or a device once', async t => {
  const input = inputOf({})
  const pipe = join(input.plan.path, '.env')
  execFileSync('mkfifo', [pipe])
  const reader = { trust: new Trust(), root: input.plan.path }
  const envFiles = new EnvFiles(reader, undefined, { ms: 5000 })
  const writer = spawn('sh', ['-c', 'printf "A=1\\n" > "$1"', 'sh', pipe])
  const hasClosed = once(writer, 'close')
  const both = await Promise.all([1, 2].map(() => environmentOf({ ...input, envFiles })))
  t.strictSame(
    both.map(({ env }) => env),
    [{ A: '1' }, { A: '1' }],
  )
  await hasClosed
  const kept = new EnvFiles(reader, envFiles)
  t.strictSame(
    (await environmentOf({ ...input, envFiles: kept })).env,
    { A: '1' },
    'what was read is kept for a reload',
  )
  const late = await environmentOf({ ...input, envFiles: new EnvFiles(reader, undefined, { ms: 20 }) }).catch(
    error => error,
  )
  t.match(late, { code: 'CONFIG_UNREADABLE', message: /\.env: reading it timed out after 0\.02 s$/ })
  const impatient = new EnvFiles(reader, undefined, { ms: 20 })
  await environmentOf({ ...input, envFiles: impatient }).catch(() => {})
  rmSync(pipe)
  symlinkSync('/dev/null', pipe)
  const again = await environmentOf({ ...input, envFiles: new EnvFiles(reader, impatient) })
  t.strictSame(again.env, {}, 'what could not be read is tried again')
  t.strictSame((await environmentOf(input)).env, {}, '/dev/null')
  rmSync(pipe)
  symlinkSync('/dev/zero', pipe)
  t.match(await environmentOf(input).catch(error => error), { message: /larger than 1 MiB/ }, '/dev/zero')
})
