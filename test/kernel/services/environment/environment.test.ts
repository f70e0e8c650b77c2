// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of locald, not of JavaScript.
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { LocaldError } from '../../../../kernel/errors.ts'
import {
  environmentOf,
  interpolate,
  type Scope,
  shellPart,
} from '../../../../kernel/services/environment/environment.ts'
import { env, inputOf, top } from './harness.ts'

t.test('layers override in order and record their source', async t => {
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
  const found = [...(await origins())]
  t.strictSame(Object.fromEntries(found.map(([name, [first]]) => [name, first])), {
    A: { layer: 'shell', file: null, line: null },
    B: { layer: 'project', file: join(top, 'locald.toml'), line: 10 },
    C: { layer: '.env', file: join(path, '.env'), line: 1 },
    D: { layer: 'env_file', file: join(path, 'one'), line: 2 },
    E: { layer: 'env_file', file: join(path, 'two'), line: 3 },
    F: { layer: 'service', file: join(top, 'locald.toml'), line: 20 },
    G: { layer: 'locald', file: null, line: null },
  })
  const overridden = Object.fromEntries(found.map(([name, chain]) => [name, chain.map(({ layer }) => layer)]))
  t.strictSame(overridden['A'], ['shell'], 'what it overrides comes after it')
  t.strictSame(overridden['G'], ['locald', 'service', 'env_file', 'env_file', '.env', 'project', 'shell'])
})

t.test('variables of locald override written ones with a warning', async t => {
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

t.test('passes the shell environment without session variables', async t => {
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

t.test("drops the changes of Volta's shim", async t => {
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
  t.strictSame(shellPart(written), written, 'a user who wrote that without a shim')
})

t.test('rejects invalid variable names', async t => {
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
  const literal = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 20 }).map(all => all.join('')),
  )
  fc.assert(
    fc.property(
      literal,
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
