import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findMissingPlugins } from '../../../../kernel/config/checks/required-plugins.ts'
import { loadProject, type TypeSource } from '../../../../kernel/config/load.ts'
import { Contributions } from '../../../../kernel/plugins/contributions.ts'
import { Features } from '../../../../kernel/plugins/features.ts'
import type { PluginView } from '../../../../kernel/protocol.ts'

function view(name: string, version: string, more: Partial<PluginView> = {}): PluginView {
  const nothing = { types: [], features: [], commands: [], setupMs: 1 }
  return { name, version, from: 'npm', state: 'active', reason: null, ...nothing, ...more }
}

const views = [
  view('postgres', '0.1.0', { from: 'built-in' }),
  view('locald-plugin-redis', '1.3.0'),
  view('locald-plugin-postgres', '9.0.0'),
  view('locald-plugin-pre', '2.0.0-rc.1'),
  view('@acme/locald-plugin-search', '0.4.1'),
  view('any-name', '1.0.0'),
  view('locald-plugin-off', '1.0.0', { state: 'off', reason: 'disabled in config.toml' }),
  view('locald-plugin-mac', '1.0.0', {
    state: 'off',
    reason: 'supports darwin, not linux',
    code: 'PLUGIN_PLATFORM',
  }),
  view('locald-plugin-broken', '1.0.0', { state: 'broken', reason: 'setup failed: boom', code: 'PLUGIN_SETUP' }),
]

t.test('accepts a plugin of a version in the range', async t => {
  for (const [name, range] of [
    ['redis', '^1.2'],
    ['redis', '*'],
    ['redis', '1.2 - 2'],
    ['redis', '>=1.0.0 <2 || ^7'],
    ['redis', '1.3.0'],
    ['locald-plugin-redis', '^1.2'],
    ['@acme/locald-plugin-search', '~0.4'],
    ['postgres', '^0.1'],
    ['locald-plugin-postgres', '^9'],
    ['pre', '^2.0.0-rc.0'],
    ['any-name', '^1'],
  ] as const) {
    t.same(findMissingPlugins({ [name]: range }, views), [], `${name} ${range}`)
  }
  t.same(findMissingPlugins({}, []), [])
})

t.test('reports a plugin that is missing, off, broken or of another version', async t => {
  const cases: readonly [string, string, string, RegExp][] = [
    ['mongo', '^1', 'plugin locald-plugin-mongo is not installed', /^Run `locald plugins add mongo`\.$/],
    ['@acme/queue', '^1', 'plugin @acme/queue is not installed', /^Run `locald plugins add @acme\/queue`\.$/],
    [
      'redis',
      '^2',
      'plugin locald-plugin-redis has version 1.3.0, and the project needs ^2',
      /^Run `locald plugins add redis` to install another version\.$/,
    ],
    [
      'pre',
      '^2',
      'plugin locald-plugin-pre has version 2.0.0-rc.1, and the project needs ^2',
      /to install another version/,
    ],
    [
      'postgres',
      '^9',
      'plugin postgres has version 0.1.0, and the project needs ^9',
      /^Install another version of locald, which includes it\.$/,
    ],
    [
      'off',
      '^1',
      'plugin locald-plugin-off is off: disabled in config.toml',
      /^Remove `enabled = false` from \[plugins\.locald-plugin-off\] in config\.toml\.$/,
    ],
    ['mac', '^1', 'plugin locald-plugin-mac is off: supports darwin, not linux', /^Run the project on another machine/],
    ['broken', '^1', 'plugin locald-plugin-broken is broken: setup failed: boom', /to try another version/],
  ]
  for (const [name, range, message, hint] of cases) {
    t.match(findMissingPlugins({ [name]: range }, views), [{ name, message, hint }], name)
  }
  const needed = Object.fromEntries(cases.map(([name, range]) => [name, range]))
  const all = findMissingPlugins({ ...needed, '@acme/locald-plugin-search': '^0.4' }, views)
  t.match(
    all,
    cases.map(([name, , message, hint]) => ({ name, message, hint })),
  )
  t.equal(all.length, cases.length)
})

t.test('reports it with file and line, together with all other problems', async t => {
  const contributions = new Contributions(new Features())
  const types: TypeSource = {
    find: type => contributions.findType(type),
    names: [],
    defaultType: '',
    sources: [],
    plugins: views,
  }
  const folder = t.testdir({ config: {} })
  const load = async (text: string, from = types) => {
    await writeFile(join(folder, 'locald.toml'), `[project]\nname = "shop"\n${text}`)
    return loadProject(folder, from, { configDir: join(folder, 'config'), home: folder })
  }
  const file = join(folder, 'locald.toml')

  t.strictSame((await load('[plugins]\nredis = "^1.2"\n')).pluginsNeeded, { redis: '^1.2' })
  await t.rejects(load('[plugins]\nredis = "^7"\n'), {
    code: 'PLUGIN_MISSING',
    message: /^locald\.toml:4: plugins\.redis: plugin locald-plugin-redis has version 1\.3\.0/,
    hint: /plugins add redis/,
    problems: [{ file, line: 4, key: 'plugins.redis' }],
  })
  await t.rejects(
    load('[services.cache]\ntype = "mongo"\n[plugins]\nmongo = "^1"\n'),
    {
      code: 'PLUGIN_MISSING',
      problems: [
        { line: 4, key: 'services.cache.type', message: /no plugin provides it/ },
        { line: 6, key: 'plugins.mongo', message: 'plugin locald-plugin-mongo is not installed' },
      ],
    },
    'a type that is missing with its plugin',
  )
  await t.rejects(load('wrong = 1\n[plugins]\nmongo = "^1"\n'), {
    code: 'CONFIG_INVALID',
    problems: [{ key: 'project.wrong' }, { key: 'plugins.mongo' }],
  })
  await t.rejects(load('[plugins]\nredis = "newest!"\n'), {
    code: 'CONFIG_INVALID',
    message: 'locald.toml:4: plugins.redis: is not a range of versions',
    hint: 'Write it as for npm: "^1.2", "1.x", "*".',
  })
  const { plugins: _, ...unaware } = types
  t.strictSame(
    (await load('[plugins]\nmongo = "^1"\n', unaware)).pluginsNeeded,
    { mongo: '^1' },
    'without a list of plugins',
  )
})
