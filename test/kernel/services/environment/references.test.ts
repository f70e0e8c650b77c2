// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of locald, not of JavaScript.
import { join } from 'node:path'
import t from 'tap'
import { env, failure, type Setting, top } from './harness.ts'

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

t.test('reports unresolved references', async t => {
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
  const errorsOf = async (setting: Setting) =>
    (await failure(setting)).problems.map(({ key, message, hint }) => `${key}: ${message} | ${hint}`)
  t.strictSame(
    await errorsOf({ project: { A: '${B}', B: '${C}' } }),
    ['env.B: ${C} is not set | Set it, or write ${C:-default}.'],
    'the key that holds it',
  )
  t.strictSame(await errorsOf({ service: { A: '${services.db.prot}' } }), [
    'services.web.env.A: ${services.db.prot} is not set | Set it, or write ${services.db.prot:-default}.',
  ])
  t.strictSame(await errorsOf({ service: { A: '${B:?start the tunnel}' } }), [
    'services.web.env.A: ${B} is required: start the tunnel | Set it, or write ${B:-default}.',
  ])
  t.match(await errorsOf({ shell: { B: '' }, service: { A: '${B:?}' } }), [/\$\{B\} is required: not set/])
  t.strictSame(await errorsOf({ service: { A: '${B}', B: '${C}', C: '${A}' } }), [
    'services.web.env.C: refers to itself: A → B → C → A | Remove one of these references.',
  ])
  t.match(
    await errorsOf({ service: { A: '${A}' } }),
    [/^services\.web\.env\.A: \$\{A\} is not set/],
    'no weaker value of its own',
  )
  t.strictSame(await errorsOf({ project: { URL: 'x${PASSWORD}' }, files: { '.env': 'PASSWORD=secret' } }), [
    "env.URL: ${PASSWORD} is not set | Move 'URL' to the stronger layer that sets PASSWORD: [env] cannot see it.",
  ])
  t.strictSame(await errorsOf({ service: { A: '${' } }), [
    'services.web.env.A: has a ${ at column 1 that is never closed | Write $${ for a literal ${.',
  ])
  t.strictSame(
    await errorsOf({
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

t.test('resolves a self-reference to the previous layer', async t => {
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
