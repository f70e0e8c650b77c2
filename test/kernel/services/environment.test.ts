// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of locald, not of JavaScript.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { EnvFiles } from '../../../kernel/config/env-files.ts'
import { Trust } from '../../../kernel/config/trust.ts'
import type { ProjectPlan, ServicePlan } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import {
  type EnvironmentInput,
  environmentOf,
  interpolate,
  type Locate,
  type Scope,
  shellPart,
} from '../../../kernel/services/environment/environment.ts'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'locald-env-')))
t.teardown(() => rmSync(top, { recursive: true, force: true }))
let count = 0

interface Setting {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly shell?: Readonly<Record<string, string>>
  readonly project?: Readonly<Record<string, string>>
  readonly service?: Readonly<Record<string, string>>
  readonly envFile?: readonly string[]
  readonly own?: Readonly<Record<string, string>>
}

/** Lines are those of the fake file: `env` keys from 10 on, the service's from 20, env_file from 30. */
const locate: Locate = async path => {
  const [first, , third, fourth] = path
  if (first === 'env') return { file: join(top, 'locald.toml'), line: 10 }
  return { file: join(top, 'locald.toml'), line: third === 'env' ? 20 : 30 + Number(fourth) }
}

function inputOf({
  files = {},
  shell = {},
  project = {},
  service = {},
  envFile = [],
  own = {},
}: Setting): EnvironmentInput {
  const root = join(top, String(++count))
  mkdirSync(root)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  const common: ServicePlan['common'] = {
    workdir: undefined,
    port: undefined,
    env: service,
    envFile,
    dependsOn: {},
    healthCheck: undefined,
    readyTimeout: 1,
    restart: 'no',
    stopSignal: 'SIGTERM',
    stopTimeout: 1,
    watch: [],
  }
  const web: ServicePlan = { name: 'web', type: 'exec', common, options: {} }
  const plan: ProjectPlan = {
    name: 'shop',
    path: root,
    domain: 'shop.localhost',
    env: project,
    services: [web],
    routes: [],
    files: [],
  }
  const fields: Readonly<Record<string, string>> = {
    'db.url': 'postgres://db',
    'db.port': '5432',
    'my-api.url': 'http://api',
  }
  return { shell, plan, service: web, own, lookup: (name, field) => fields[`${name}.${field}`], locate }
}

async function env(setting: Setting): Promise<Readonly<Record<string, string>>> {
  return (await environmentOf(inputOf(setting))).env
}

async function failure(setting: Setting): Promise<LocaldError> {
  const error = await environmentOf(inputOf(setting)).then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (!LocaldError.is(error)) throw error
  return error
}

t.test('the order of layers, and what set each variable', async t => {
  const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G']
  const from = (text: string, first: number) => Object.fromEntries(names.slice(first).map(name => [name, text]))
  const file = (text: string, first: number) =>
    names
      .slice(first)
      .map(name => `${name}=${text}\n`)
      .join('')
  const input = inputOf({
    shell: from('shell', 0),
    project: from('project', 1),
    files: { '.env': file('dotenv', 2), one: `# first\n${file('one', 3)}`, two: `\n\n${file('two', 4)}` },
    envFile: ['one', 'two'],
    service: from('service', 5),
    own: from('locald', 6),
  })
  const { env, layers, origins } = await environmentOf(input)
  t.strictSame([...layers.values()], ['shell', 'project', '.env', 'env_file', 'env_file', 'service', 'locald'])
  t.strictSame(env, { A: 'shell', B: 'project', C: 'dotenv', D: 'one', E: 'two', F: 'service', G: 'locald' })
  const { path } = input.plan
  t.strictSame(Object.fromEntries(await origins()), {
    A: { layer: 'shell', file: null, line: null },
    B: { layer: 'project', file: join(top, 'locald.toml'), line: 10 },
    C: { layer: '.env', file: join(path, '.env'), line: 1 },
    D: { layer: 'env_file', file: join(path, 'one'), line: 2 },
    E: { layer: 'env_file', file: join(path, 'two'), line: 3 },
    F: { layer: 'service', file: join(top, 'locald.toml'), line: 20 },
    G: { layer: 'locald', file: null, line: null },
  })
})

t.test('what locald sets, and what was written', async t => {
  const input = inputOf({
    shell: { HOST: 'a-machine', PORT: '1', LOCALD_URL: 'shell' },
    project: { PORT: '2' },
    files: { '.env': 'LISTEN=${HOST}:${PORT}\n' },
    own: { PORT: '3000', LOCALD_URL: 'own' },
  })
  const defaults = { HOST: '127.0.0.1' }
  const { env, overruled } = await environmentOf({ ...input, defaults })
  t.strictSame(env, { HOST: '127.0.0.1', PORT: '3000', LOCALD_URL: 'own', LISTEN: '127.0.0.1:3000' })
  t.strictSame(await Promise.all(overruled.map(async ({ name, origin }) => [name, (await origin()).line])), [
    ['PORT', 10],
  ])
  const written = inputOf({ service: { HOST: 'db.internal', PORT: '3000', AT: '${HOST}' }, own: { PORT: '3000' } })
  const taken = await environmentOf({ ...written, defaults })
  t.strictSame(taken.env, { HOST: 'db.internal', PORT: '3000', AT: 'db.internal' })
  t.strictSame(taken.overruled, [], 'the same value is no quarrel')
})

t.test('references', async t => {
  const found = await env({
    shell: { PATH: '/bin', EMPTY: '' },
    project: {
      FIRST: '${SECOND}/x',
      SECOND: '${HOST}:${PORT}',
      PATH: './bin:${PATH}',
      NAME: '${project.name}@${project.domain}',
    },
    files: { '.env': 'FILE=f\n' },
    service: {
      PATH: './more:${PATH}',
      URL: '${services.db.url}?x=${services.db.port}&${services.my-api.url}',
      LITERAL: '$${PATH} $PATH $ $$ {x}',
      UNSET: '[${NOT_SET:-none}]',
      UNSET_EMPTY: '[${NOT_SET:-}]',
      BLANK: '[${EMPTY}] [${EMPTY:-filled}]',
      NESTED: '${NOT_SET:-${ALSO_NOT:-${FILE}}}!',
      NO_FIELD: '${services.db.nothing:-x}',
      REQUIRED: '${FILE:?set FILE}',
    },
    own: { PORT: '3000', HOST: '127.0.0.1' },
  })
  t.match(found, {
    FIRST: '127.0.0.1:3000/x',
    PATH: './more:./bin:/bin',
    NAME: 'shop@shop.localhost',
    URL: 'postgres://db?x=5432&http://api',
    LITERAL: '${PATH} $PATH $ $$ {x}',
    UNSET: '[none]',
    UNSET_EMPTY: '[]',
    BLANK: '[] [filled]',
    NESTED: 'f!',
    NO_FIELD: 'x',
    REQUIRED: 'f',
  })
})

t.test('references that cannot be resolved', async t => {
  const missing = await failure({ service: { API: 'secret ${NOT_SET}' } })
  t.match(missing, { code: 'ENV_UNRESOLVED', service: 'web', hint: 'Set it, or write ${NOT_SET:-default}.' })
  t.equal(
    missing.message.replace(/^.*locald\.toml/, "service 'web': locald.toml"),
    "service 'web': locald.toml:20: services.web.env.API: ${NOT_SET} is not set",
  )
  t.strictSame(missing.problems, [
    {
      message: '${NOT_SET} is not set',
      key: 'services.web.env.API',
      file: join(top, 'locald.toml'),
      line: 20,
      hint: 'Set it, or write ${NOT_SET:-default}.',
    },
  ])
  const told = async (setting: Setting) =>
    (await failure(setting)).problems.map(({ key, message, hint }) => `${key}: ${message} | ${hint}`)
  t.strictSame(
    await told({ project: { A: '${B}', B: '${C}' } }),
    ['env.B: ${C} is not set | Set it, or write ${C:-default}.'],
    'the key that holds it',
  )
  t.strictSame(await told({ service: { A: '${services.db.prot}' } }), [
    'services.web.env.A: ${services.db.prot} is not set | Set it, or write ${services.db.prot:-default}.',
  ])
  t.strictSame(await told({ service: { A: '${B:?start the tunnel}' } }), [
    'services.web.env.A: ${B} is required: start the tunnel | Set it, or write ${B:-default}.',
  ])
  t.match(await told({ shell: { B: '' }, service: { A: '${B:?}' } }), [/\$\{B\} is required: it is not set/])
  t.strictSame(await told({ service: { A: '${B}', B: '${C}', C: '${A}' } }), [
    'services.web.env.C: refers to itself: A → B → C → A | Remove one of these references.',
  ])
  t.match(
    await told({ service: { A: '${A}' } }),
    [/^services\.web\.env\.A: \$\{A\} is not set/],
    'no weaker value of its own',
  )
  t.strictSame(await told({ project: { URL: 'x${PASSWORD}' }, files: { '.env': 'PASSWORD=secret' } }), [
    "env.URL: ${PASSWORD} is not set | PASSWORD is set by a stronger layer, which [env] cannot see: move 'URL' there.",
  ])
  t.strictSame(await told({ service: { A: '${' } }), [
    'services.web.env.A: has a ${ at column 1 that is never closed | Write $${ for a literal ${.',
  ])
  t.strictSame(
    await told({
      project: { A: '${NOT_SET}' },
      service: { B: '${A}${ALSO_NOT}', C: '${D}', D: '${C}', E: '${B}', F: '${' },
    }),
    [
      'env.A: ${NOT_SET} is not set | Set it, or write ${NOT_SET:-default}.',
      'services.web.env.B: ${ALSO_NOT} is not set | Set it, or write ${ALSO_NOT:-default}.',
      'services.web.env.D: refers to itself: C → D → C | Remove one of these references.',
      'services.web.env.F: has a ${ at column 1 that is never closed | Write $${ for a literal ${.',
    ],
    'all that is wrong, each once',
  )
  t.notMatch(JSON.stringify(missing), 'secret')
  const chain = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`V${i}`, `\${V${i + 1}}`]))
  t.match(await failure({ service: chain }), { code: 'ENV_UNRESOLVED', message: /refers to more than 500 others/ })
  const bomb = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`V${i}`, `\${V${i + 1}}\${V${i + 1}}`]))
  t.match(await failure({ service: { ...bomb, V60: 'xxxxxxxx' } }), {
    code: 'ENV_UNRESOLVED',
    message: /longer than a million/,
  })
})

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
  const lines = Object.fromEntries([...(await origins())].map(([name, { line }]) => [name, line]))
  t.match(lines, { PLAIN: 1, EXPORTED: 2, AFTER: 9, MULTI: 10, LAST: 14, EMPTY: 16 })
})

t.test('.env files full of what looks like references', async t => {
  for (const text of ['${A:-', '${A:?', '${-', '${A:-${B} ', '${A:-$${']) {
    const value = text.repeat(Math.floor(1_000_000 / text.length))
    const start = performance.now()
    const { X = '' } = await env({ files: { '.env': `X="${value}"` } })
    t.ok(X === value.replaceAll('$${', () => '${'), `${text}: as written`)
    t.ok(performance.now() - start < 10_000, 'not tried again and again')
  }
})

t.test('a megabyte of empty lines takes no time', async t => {
  const lines = '\n'.repeat(500_000)
  const start = performance.now()
  t.strictSame(await env({ files: { '.env': `${lines}A=1${lines}` } }), { A: '1' })
  t.ok(performance.now() - start < 10_000)
})

t.test('files that are not there or not readable', async t => {
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

t.test('bytes that are not UTF-8', async t => {
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

t.test('warns of lines that are no entries, and of quotes that nothing closes', async t => {
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

t.test('a comment has a space before it', async t => {
  const lines =
    'P=ab#cd\nC=#fff\nU=http://x/#/a?b#c # note\nN= # none\nE=#\nQ="a#b"#c\nS=\'d#e\' # f\nY: g#h\nZ=1 #2 #3\nL=last#1\nL=2\n'
  t.strictSame(await env({ files: { '.env': lines } }), {
    ...{ P: 'ab#cd', C: '#fff', U: 'http://x/#/a?b#c', N: '', E: '#', Q: 'a#b', S: 'd#e', Y: 'g#h', Z: '1', L: '2' },
  })
})

t.test('a pipe is read once, a device too', async t => {
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

t.test('a variable that refers to itself as in a shell', async t => {
  const shell = { PATH: '/bin', PATHS: 'x' }
  const path = async (text: string) => (await env({ shell, files: { '.env': `${text}\n` } }))['PATH']
  t.equal(await path('PATH=./tools:$PATH'), './tools:/bin')
  t.equal(await path('PATH="$PATH:$PATHS:$PATH"'), '/bin:$PATHS:/bin', 'no other variable')
  t.equal(await path("PATH='$PATH:x'"), '$PATH:x', 'not in single quotes')
  t.equal(await path('PATH=\\$PATH:$$PATH:$'), '\\$PATH:$$PATH:$')
  t.strictSame(await env({ files: { '.env': 'LD=./lib:$LD\nA=1\nA=$A2\nB=p$ss\n' } }), {
    LD: './lib:',
    A: '$A2',
    B: 'p$ss',
  })
  t.strictSame(
    await env({ files: { '.env': 'X=1\nA="\\${X}"\nB=\\${X}${X}\n' } }),
    { X: '1', A: '${X}', B: '${X}1' },
    'a backslash before a reference makes it a text',
  )
  const tables = await env({ shell, project: { PATH: 'p:$PATH' }, service: { PATH: 's:$PATH', X: '$PATH' } })
  t.strictSame(tables, { PATH: 's:p:/bin', PATHS: 'x', X: '$PATH' })
})

t.test('what a shell passes on', async t => {
  const shell = {
    PATH: '/bin',
    NODE_OPTIONS: '--x',
    NOTIFY_SOCKET: '/x',
    LISTEN_FDS: '1',
    NODE_CHANNEL_FD: '3',
    LOCALD_SANDBOX: 's',
    LOCALD_SOCKET: '/s',
    LOCALD_HTTP_PORT: '1',
    LOCALD_URL: 'u',
    npm_config_registry: 'r',
    INIT_CWD: '/i',
    UNSET: undefined,
  }
  const always = { PATH: '/bin', NODE_OPTIONS: '--x', LOCALD_SANDBOX: 's', LOCALD_SOCKET: '/s' }
  t.strictSame(shellPart(shell), { ...always, npm_config_registry: 'r', INIT_CWD: '/i' })
  t.strictSame(shellPart({ ...shell, npm_execpath: '/npm' }), always, 'run by npm')
  t.strictSame(shellPart({ ...shell, npm_lifecycle_event: 'dev' }), always, 'as a script')
  t.strictSame(await env({ shell: { NOTIFY_SOCKET: '/x' }, own: { NOTIFY_SOCKET: '/own' } }), { NOTIFY_SOCKET: '/own' })
})

t.test('what the shim of Volta passes on', async t => {
  const volta = '/home/u/.volta'
  const images = `${volta}/tools/image/packages/locald/bin:${volta}/tools/image/node/24.1.0/bin`
  const shim = { _VOLTA_TOOL_RECURSION: '1', HOME: '/home/u' }
  const PATH = `${volta}/bin:/usr/bin`
  t.strictSame(shellPart({ ...shim, PATH: `${images}:/usr/bin` }), { HOME: '/home/u', PATH }, 'its own folder first')
  const elsewhere = { VOLTA_HOME: '/opt/volta' }
  t.strictSame(
    shellPart({ ...shim, ...elsewhere, PATH: `/opt/volta/tools/image/node/24.1.0/bin:${PATH}` }),
    { HOME: '/home/u', ...elsewhere, PATH: `/opt/volta/bin:${PATH}` },
    'in a folder of its own',
  )
  const written = { HOME: '/home/u', PATH: `${images}:/usr/bin` }
  t.strictSame(shellPart(written), written, 'whoever has written that without a shim')
})

t.test('a name that no environment holds well', async t => {
  const found = await env({ service: { constructor: 'c', toString: '${constructor}', X: '${valueOf:-none}' } })
  t.strictSame(Object.entries(found), [
    ['constructor', 'c'],
    ['toString', 'c'],
    ['X', 'none'],
  ])
})

t.test('properties', async t => {
  const scope: Scope = {
    project: { name: 'p', domain: 'd' },
    variable: name => (name === 'A' ? 'value' : undefined),
    service: () => undefined,
  }
  const piece = fc.constantFrom(
    '${',
    '}',
    '$',
    '$${',
    ':-',
    ':?',
    'A',
    'B',
    '.',
    'services.',
    'project.name',
    '{',
    ' ',
    '\n',
    'é',
    '\0',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 40 }).map(all => all.join('')),
      ),
      text => {
        try {
          return typeof interpolate(text, scope) === 'string'
        } catch (error) {
          return LocaldError.is(error) && error.code === 'ENV_UNRESOLVED'
        }
      },
    ),
    { numRuns: 2000 },
  )
  const escapeLiteral = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 20 }).map(all => all.join('')),
  )
  fc.assert(
    fc.property(
      escapeLiteral,
      text =>
        interpolate(
          text.replaceAll('${', () => '$${'),
          scope,
        ) === text,
    ),
  )
  t.equal(interpolate(['${B:-'.repeat(9), '${A}', '}'.repeat(9)].join(''), scope), 'value')
  t.throws(
    () => interpolate('${B:-'.repeat(100_000), scope),
    { code: 'ENV_UNRESOLVED' },
    'deep nesting overflows nothing',
  )
})
