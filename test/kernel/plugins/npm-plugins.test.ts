import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { describeBuiltIns, findNpmPlugins } from '../../../kernel/plugins/discover.ts'
import { settingsTables } from '../../../kernel/plugins/settings.ts'
import { testLoader } from '../../lib/plugin-loader.ts'
import { root } from '../../lib/sources.ts'

interface Folder {
  readonly [name: string]: string | Folder
}

/** A package in a folder: its manifest, an npm plugin's by default, and its files. */
function pack(name: string, manifest: object = {}, files: Folder = {}): Folder {
  const all = { name, version: '1.2.3', locald: { api: 1 }, ...manifest }
  return { 'package.json': JSON.stringify(all), ...files }
}

/** Source of a plugin object that registers one type, named as the plugin is. */
function source(name: string): string {
  const type = name.replace(/^.*locald-plugin-/, '')
  return `{ name: '${name}', api: 1, setup(host) {
    host.service({ type: '${type}', shape: { schema: { type: 'object' } }, start: async () => { throw new Error('no') } })
  } }`
}

t.test('finds packages that are plugins', async t => {
  const folder = t.testdir({
    node_modules: {
      '.package-lock.json': '{}',
      'locald-plugin-cjs': pack(
        'locald-plugin-cjs',
        { main: 'lib/main' },
        { lib: { 'main.js': `module.exports = ${source('locald-plugin-cjs')}` } },
      ),
      'locald-plugin-index': pack(
        'locald-plugin-index',
        {},
        { 'index.js': `module.exports = ${source('locald-plugin-index')}` },
      ),
      'locald-plugin-transpiled': pack(
        'locald-plugin-transpiled',
        { main: './main.cjs' },
        {
          'main.cjs': `Object.defineProperty(exports, '__esModule', { value: true })
            exports.default = ${source('locald-plugin-transpiled')}`,
        },
      ),
      'locald-plugin-esm': pack(
        'locald-plugin-esm',
        {
          type: 'module',
          exports: {
            '.': { types: './t.d.ts', node: { import: './esm.js', require: './no.cjs' }, default: './no.js' },
          },
          imports: { '#own': './own.js' },
        },
        {
          'esm.js': `import { name } from '#own'\nexport default { ...${source('locald-plugin-esm')}, name }`,
          'own.js': `export const name = 'locald-plugin-esm'`,
        },
      ),
      'locald-plugin-await': pack(
        'locald-plugin-await',
        { exports: './main.mjs' },
        { 'main.mjs': `await null\nexport default ${source('locald-plugin-await')}` },
      ),
      '@acme': {
        'locald-plugin-scoped': pack(
          '@acme/locald-plugin-scoped',
          { type: 'module', exports: [{ import: './a.js' }, './b.js'] },
          { 'a.js': `export default ${source('@acme/locald-plugin-scoped')}` },
        ),
        tool: pack('@acme/tool', { locald: undefined }),
      },
      'any-name': pack(
        'any-name',
        { locald: { api: 1, types: ['any-name'], table: 'any', platforms: ['linux'] } },
        { 'index.js': `module.exports = ${source('any-name')}` },
      ),
      // As `npm install aliased@npm:locald-plugin-real` puts it.
      aliased: pack('locald-plugin-real', {}, { 'index.js': `module.exports = ${source('locald-plugin-real')}` }),
      lodash: pack('lodash', { locald: undefined }),
      'not-a-package': {},
      'a-file': 'text',
    },
  })
  const kernel = testLoader()
  const all = await findNpmPlugins(folder)
  t.strictSame(settingsTables(all), ['any'], 'the tables that their packages announce')
  const views = await kernel.load(...all)
  t.strictSame(
    views.map(({ name, state, reason, types }) => [name, state, reason, ...types]),
    [
      ['@acme/locald-plugin-scoped', 'active', null, 'scoped'],
      ['locald-plugin-real', 'active', null, 'real'],
      ['any-name', 'active', null, 'any-name'],
      ['locald-plugin-await', 'active', null, 'await'],
      ['locald-plugin-cjs', 'active', null, 'cjs'],
      ['locald-plugin-esm', 'active', null, 'esm'],
      ['locald-plugin-index', 'active', null, 'index'],
      ['locald-plugin-transpiled', 'active', null, 'transpiled'],
    ],
  )
  for (const view of views) t.match(view, { version: '1.2.3', from: 'npm' })
})

t.test('reports unusable packages', async t => {
  const types = ['thing']
  const folder = t.testdir({
    node_modules: {
      'locald-plugin-syntax': pack('locald-plugin-syntax', {}, { 'index.js': 'module.exports = {' }),
      'locald-plugin-syntax-esm': pack(
        'locald-plugin-syntax-esm',
        { exports: './index.js', type: 'module' },
        { 'index.js': 'export default {' },
      ),
      'locald-plugin-throws': pack('locald-plugin-throws', {}, { 'index.js': 'throw new Error("boom")' }),
      'locald-plugin-hangs': pack(
        'locald-plugin-hangs',
        { exports: './index.js', type: 'module', locald: { api: 1, types } },
        { 'index.js': 'await new Promise(() => {})\nexport default {}' },
      ),
      'locald-plugin-exits': pack('locald-plugin-exits', {}, { 'index.js': 'process.exit(0)' }),
      'locald-plugin-exits-late': pack(
        'locald-plugin-exits-late',
        { exports: './index.js', type: 'module' },
        { 'index.js': 'await new Promise(done => setTimeout(done, 10))\nprocess.exit(0)' },
      ),
      'locald-plugin-imports': pack('locald-plugin-imports', {}, { 'index.js': 'require("not-installed-at-all")' }),
      'locald-plugin-no-entry': pack('locald-plugin-no-entry', { exports: { './other': './a.js' } }),
      'locald-plugin-no-file': pack('locald-plugin-no-file', { exports: './deleted.js' }),
      'locald-plugin-no-default': pack(
        'locald-plugin-no-default',
        { exports: './index.js', type: 'module' },
        { 'index.js': 'export const a = 1' },
      ),
      'locald-plugin-other': pack('locald-plugin-other', {}, { 'index.js': `module.exports = ${source('postgres')}` }),
      'locald-plugin-new': pack('locald-plugin-new', { locald: { api: 2, types } }),
      'locald-plugin-plain': pack('locald-plugin-plain', { locald: undefined }),
      'locald-plugin-types': pack('locald-plugin-types', { locald: { api: 1, types: 'thing' } }),
      'locald-plugin-json': { 'package.json': '{' },
      'locald-plugin-empty': {},
      'locald-plugin-win': pack('locald-plugin-win', { locald: { api: 1, platforms: ['win32'] } }),
    },
  })
  const kernel = testLoader()
  const views = await kernel.load(...(await findNpmPlugins(folder)))
  const reasons = Object.fromEntries(views.map(({ name, state, code, reason }) => [name, [state, code, reason]]))
  t.match(reasons, {
    'locald-plugin-syntax': ['broken', 'PLUGIN_IMPORT', /import failed: Unexpected end of input/],
    'locald-plugin-syntax-esm': ['broken', 'PLUGIN_IMPORT', /import failed: Unexpected end of input/],
    'locald-plugin-throws': ['broken', 'PLUGIN_IMPORT', 'import failed: boom'],
    'locald-plugin-hangs': ['broken', 'PLUGIN_TIMEOUT', 'import timed out after 0.3 s'],
    'locald-plugin-exits': ['broken', 'PLUGIN_IMPORT', 'import failed: the plugin called process.exit()'],
    'locald-plugin-exits-late': ['broken', 'PLUGIN_IMPORT', 'import failed: the plugin called process.exit()'],
    'locald-plugin-imports': ['broken', 'PLUGIN_IMPORT', /Cannot find module 'not-installed-at-all'/],
    'locald-plugin-no-entry': ['broken', 'PLUGIN_IMPORT', /"exports" main defined/],
    'locald-plugin-no-file': ['broken', 'PLUGIN_IMPORT', /Cannot find module .*deleted\.js/],
    'locald-plugin-no-default': ['broken', 'PLUGIN_API', /its default export is not a plugin/],
    'locald-plugin-other': ['broken', 'PLUGIN_API', /plugin name 'postgres' does not match/],
    'locald-plugin-new': ['broken', 'PLUGIN_API', 'requires plugin API 2; this version provides 1'],
    'locald-plugin-plain': ['broken', 'PLUGIN_API', "its package.json lacks the object 'locald'"],
    'locald-plugin-types': ['broken', 'PLUGIN_API', /'types' and 'platforms' of its package.json must be lists/],
    'locald-plugin-json': ['broken', 'PLUGIN_IMPORT', /cannot read its package.json/],
    'locald-plugin-empty': ['broken', 'PLUGIN_IMPORT', /cannot read its package.json: does not exist/],
    'locald-plugin-win': ['off', 'PLUGIN_PLATFORM', 'supports win32, not linux'],
  })
  t.equal(views.length, 17)
  const log = kernel.logged.join('\n')
  t.match(
    log,
    /locald-plugin-throws: broken: .*\[PLUGIN_IMPORT\]\nError: boom\n {4}at .*locald-plugin-throws\/index\.js:1:7/,
  )
  t.match(log, /locald-plugin-syntax\/index\.js:1/, 'where the syntax is wrong')
  t.match(kernel.contributions.findType('thing'), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: /^type 'thing' is not available: plugin locald-plugin-(?:hangs|new) is broken: /,
  })
})

t.test('folders', async t => {
  const folder = t.testdir({
    file: { node_modules: 'a file' },
    loop: { node_modules: t.fixture('symlink', 'node_modules') },
  })
  t.strictSame(await findNpmPlugins(join(folder, 'deleted')), [])
  t.strictSame(await findNpmPlugins(join(folder, 'file')), [])
  await t.rejects(findNpmPlugins(join(folder, 'loop')), {
    code: 'PATHS_UNUSABLE',
    hint: /^Check the permissions of .*loop\/node_modules\.$/,
  })
})

t.test('plugins import the locald that loads them', async t => {
  const index = `import { LocaldError, shape } from 'locald/plugin'
    export default { name: 'locald-plugin-a', api: 1, options: shape({ type: 'object' }), setup() {
      throw new LocaldError('FEATURE_OFF', 'of the same class', { hint: 'Do so.' })
    } }`
  const one = () => pack('locald-plugin-a', { type: 'module', exports: './index.js' }, { 'index.js': index })
  const folder = t.testdir({
    none: { node_modules: { lodash: pack('lodash', { locald: undefined }) } },
    fresh: { node_modules: { 'locald-plugin-a': one() } },
    moved: { node_modules: { 'locald-plugin-a': one(), locald: t.fixture('symlink', '/deleted') } },
    real: { node_modules: { 'locald-plugin-a': one(), locald: pack('locald', { locald: undefined }) } },
  })
  for (const name of ['fresh', 'moved', 'fresh']) {
    const [view] = await testLoader().load(...(await findNpmPlugins(join(folder, name))))
    t.match(view, { state: 'broken', code: 'FEATURE_OFF', reason: 'of the same class' }, name)
    t.strictSame((await readdir(join(folder, name, 'node_modules'))).sort(), ['locald', 'locald-plugin-a'])
    t.equal(await realpath(join(folder, name, 'node_modules', 'locald')), root)
  }
  await findNpmPlugins(join(folder, 'none'))
  t.strictSame(await readdir(join(folder, 'none', 'node_modules')), ['lodash'], 'no plugin, no link')
  const [view] = await testLoader().load(...(await findNpmPlugins(join(folder, 'real'))))
  t.match(view, { code: 'PLUGIN_IMPORT', reason: /locald/ }, 'a real folder of that name is left as it is')
})

t.test('a built-in plugin comes before an npm plugin of its name', async t => {
  const setup = () => {}
  const own = describeBuiltIns(
    [{ name: 'x', types: ['x'], load: async () => ({ default: { name: 'x', api: 1, setup } }) }],
    '9.9.9',
  )
  const folder = t.testdir({ node_modules: { x: pack('x', {}, { 'index.js': 'throw new Error("not imported")' }) } })
  const views = await testLoader().load(...own, ...(await findNpmPlugins(folder)))
  t.match(views, [
    { name: 'x', version: '9.9.9', from: 'built-in', state: 'active', types: [] },
    { name: 'x', version: '1.2.3', from: 'npm', state: 'broken', code: 'PLUGIN_CONFLICT' },
  ])
})
