// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the texts of compose files.
/** Generated compose documents: the translation never crashes, and locald reads every locald.toml that it makes. */
import fc from 'fast-check'
import t from 'tap'
import { stringify } from 'yaml'
import { LocaldError } from '../../../../kernel/errors.ts'
import { loadToml, projectWith, translate } from './translate.ts'

const word = fc.constantFrom(
  ...['', 'a', 'web', '80:80', './x:/y:ro', '${A}', '${A:?c}', '${', 'NAME=v', 'host', "'", 'é\n"\\', '0', '-1'],
)
const garbage = fc.letrec(tie => ({
  any: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(word, tie('any'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any
const names = fc.constantFrom('web', 'my_db', 'a.b', 'worker', 'data', '.', 'Ünï')
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map(text => text.replaceAll('$', '$$$$')),
  fc.constantFrom('${A}', '${A:-b c}', '$$A', '${B-}', 'x://my_db:1', 'http://host.docker.internal:1', 'a\nb'),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)
const variables = fc.dictionary(fc.constantFrom('A', 'HOST', 'PORT', 'a.b', 'DB_HOST'), value, {
  maxKeys: 3,
  noNullPrototype: true,
})
const pairs = fc.array(fc.constantFrom('A=1', 'A', 'B=${A}', 'PORT=80', '=', 'C=a=b'), { maxLength: 3 })
const line = fc.oneof(
  fc.constantFrom('sh -c "a b"', "it 'is'", 'a\nb', 'x --y=z', ''),
  fc.array(fc.string(), { maxLength: 3 }),
)
const list = (...words: readonly string[]) => fc.array(fc.constantFrom(...words), { maxLength: 3 })
const one = (...words: readonly unknown[]) => fc.constantFrom(...words)

/** Values that compose takes. */
const right: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  build: fc.oneof(one('.', './x'), fc.record({ context: one('.', '/'), target: one('a', '${A}'), args: variables })),
  ports: list('80', '80:80', '1000-1002:90-92', '1/udp', '${A:-1}:2', '0.0.0.0:5:443'),
  expose: list('80', '81/tcp', '82/udp'),
  environment: fc.oneof(variables, pairs),
  volumes: list('/a', 'data:/b', './x:/c:ro,z', '~/x:/d:cached', '..:/e', 'x.y:/f'),
  tmpfs: fc.oneof(one('/run'), list('/a', '/b:size=1m')),
  depends_on: list('web', 'worker', 'data'),
  healthcheck: fc.record(
    { test: fc.oneof(line, list('CMD', 'NONE', 'a b')), interval: one('1s', '0s', 5), retries: one(1, '3') },
    { requiredKeys: [] },
  ),
  command: line,
  entrypoint: line,
  working_dir: one('/a', ' ', '${A}'),
  user: one('me', 0, '1:2'),
  labels: fc.oneof(variables, pairs),
  stop_signal: one('SIGINT', 'term', 'SIGRTMIN+1'),
  stop_grace_period: one('1m30s', 0, '200h'),
  mem_limit: one('1g', '512MB', 1024),
  cpus: one(0.5, '2', 0),
  restart: one('no', 'always', 'on-failure:3'),
  profiles: list('a'),
  networks: fc.oneof(list('a', 'b'), fc.dictionary(names, garbage, { maxKeys: 2, noNullPrototype: true })),
  'x-y': garbage,
}
const wrong = fc.dictionary(
  one(...Object.keys(right), 'secrets', 'network_mode', 'privileged', 'extends', 'deploy', 'scale', 'nonsense').map(
    String,
  ),
  garbage,
  { maxKeys: 2, noNullPrototype: true },
)
const service = fc.tuple(
  fc
    .tuple(
      fc.record(right, { requiredKeys: [] }),
      fc.oneof({ weight: 5, arbitrary: one({}) }, { weight: 1, arbitrary: wrong }),
    )
    .map(([table, others]): Record<string, unknown> => Object.assign({}, table, others)),
  fc.integer({ min: 0, max: 9 }).map(count => count === 0),
)
const map = fc.dictionary(names, fc.oneof(one(null, {}, { external: true }), garbage), {
  maxKeys: 2,
  noNullPrototype: true,
})
const document = fc.record({
  name: value,
  services: fc.dictionary(names, service, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  volumes: fc.option(map, { nil: undefined }),
  secrets: fc.option(map, { nil: undefined }),
  networks: fc.option(garbage, { nil: undefined }),
  include: fc.oneof({ weight: 20, arbitrary: one(undefined) }, { weight: 1, arbitrary: garbage }),
})

t.test('a generated document is translated or refused, and what is written loads', { timeout: 110_000 }, async t => {
  let written = 0
  await fc.assert(
    fc.asyncProperty(document, async ({ services, ...rest }) => {
      const known: string[] = []
      const withImages = Object.entries(services).map(([name, [{ depends_on, ...table }, isRaw]]) => {
        const needs = Array.isArray(depends_on) ? { depends_on: depends_on.filter(other => known.includes(other)) } : {}
        known.push(name)
        return [name, isRaw ? { ...table, depends_on } : { image: 'a:1', ...table, ...needs }]
      })
      const root = projectWith({ 'compose.yaml': stringify({ ...rest, services: Object.fromEntries(withImages) }) })
      try {
        const { toml } = await translate(root, [], { A: 'x' })
        await loadToml(root, withoutFiles(toml))
        written++
      } catch (error) {
        if (!LocaldError.is(error) || error.problems.some(({ file }) => file?.endsWith('locald.toml'))) throw error
        if (!/^(?:IMPORT_UNSUPPORTED|CONFIG_(?:INVALID|NOT_FOUND|UNREADABLE))$/.test(error.code)) throw error
      }
    }),
    { numRuns: 400 },
  )
  t.ok(written > 80, `${written} of 400 were written`)
})

/** Files of environments that do not exist are listed by the translation, and are an error of the loader. */
function withoutFiles(toml: string): string {
  return toml.replace(/^env_file = .*\n/gm, '')
}

t.test('any text as a compose file is an error with a code', async t => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), async text => {
      const root = projectWith({ 'compose.yaml': text })
      const error: unknown = await translate(root).then(
        () => undefined,
        thrown => thrown,
      )
      t.ok(LocaldError.is(error) && error.code !== 'INTERNAL', String(error))
    }),
    { numRuns: 200 },
  )
})
