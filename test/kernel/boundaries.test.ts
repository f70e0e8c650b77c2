import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { code, type Import, importsOf, root, type Source, sourcesOf } from '../lib/sources.ts'

const manifest: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

/** What a plugin may import besides its own folder. */
const contract = ['kernel/contract/plugin.ts', 'kernel/contract/shape.ts', 'kernel/errors.ts']
/** What plugins/lib may import of the kernel besides. */
const forLib = ['kernel/lib/duration.ts', 'kernel/system/files.ts', 'kernel/system/suggest.ts']
/** What the CLI may import of the kernel; types only of those marked so. */
const forCli: Readonly<Record<string, 'all' | 'types'>> = {
  'kernel/lib/dotenv.ts': 'all',
  'kernel/lib/duration.ts': 'all',
  'kernel/config/fields/plugin-schema.ts': 'all',
  'kernel/config/names.ts': 'all',
  'kernel/config/references/foreign-key.ts': 'all',
  'kernel/config/references/interpolation.ts': 'all',
  'kernel/config/checks/plugin-name.ts': 'all',
  'kernel/config/sources/read.ts': 'all',
  'kernel/config/document/table.ts': 'all',
  'kernel/config/trust/trust.ts': 'all',
  'kernel/lib/real-path.ts': 'all',
  'kernel/lib/secrets.ts': 'all',
  'kernel/lib/subpath.ts': 'all',
  'kernel/lib/text-file.ts': 'all',
  'kernel/errors.ts': 'all',
  'kernel/logs/last-written.ts': 'all',
  'kernel/logs/level.ts': 'all',
  'kernel/logs/log-position.ts': 'all',
  'kernel/registry/git-worktree.ts': 'all',
  'kernel/system/create-folder.ts': 'all',
  'kernel/system/file-shape.ts': 'all',
  'kernel/system/files.ts': 'all',
  'kernel/system/native-module.ts': 'all',
  'kernel/system/package.ts': 'all',
  'kernel/system/paths.ts': 'all',
  'kernel/system/prepare-paths.ts': 'all',
  'kernel/system/stat.ts': 'all',
  'kernel/system/suggest.ts': 'all',
  'kernel/terminals/emulator.ts': 'all',
  'kernel/events.ts': 'types',
  'kernel/protocol.ts': 'types',
}

/** The web app of the dashboard runs in a browser, from one bundle: of the daemon it knows types, and pure functions. */
const web = 'plugins/dashboard/web/'
const forWeb = ['kernel/errors.ts', 'kernel/events.ts', 'kernel/protocol.ts']
const pureForWeb = [
  'kernel/lib/duration.ts',
  ...['kernel/logs/level.ts', 'kernel/logs/plain-text.ts', 'kernel/terminals/character-widths.ts'],
]
/** The packages in that bundle. */
const webPackages = [
  ...['@dagrejs/dagre', '@leeoniya/ufuzzy', '@preact/signals', 'anser', 'microdiff', 'preact', 'sugar-high'],
  ...['@xterm/addon-fit', '@xterm/addon-search', '@xterm/addon-web-links', '@xterm/xterm', 'string-width'],
  ...['tinykeys', 'uplot'],
]

/** Whether a file of a room may import another one of this repository. */
function mayImport(file: string, { path, isType }: Import): boolean {
  if (path === undefined) return true
  const [room, folder] = file.split('/')
  if (room === 'kernel') return path.startsWith('kernel/')
  // The paths of the privileged helper, as data.
  if (path === 'shim/paths.ts') return room === 'cli' || room === 'plugins'
  if (room === 'shim') return false
  // It makes documentation from the data of the CLI and the plugins.
  if (file === 'scripts/command-docs.ts') return /^(?:cli\/args|kernel|plugins)\//.test(path)
  if (room === 'scripts') return path.startsWith('scripts/')
  if (room === 'cli' && isType && /^plugins\/[^/]+\/provides\.ts$/.test(path)) return true
  if (room === 'cli') return path.startsWith('cli/') || forCli[path] === 'all' || (forCli[path] === 'types' && isType)
  // The list of what ships.
  if (file === 'plugins/index.ts')
    return /^plugins\/[^/]+\/index\.ts$/.test(path) || (path === 'kernel/plugins/discover.ts' && isType)
  if (room !== 'plugins') return false
  if (file.startsWith(web)) {
    const hasTypesForIt = forWeb.includes(path) || /^plugins\/[^/]+\/provides\.ts$/.test(path)
    const isShared = path.startsWith('plugins/lib/page/') || pureForWeb.includes(path)
    return path.startsWith(web) || isShared || (hasTypesForIt && isType)
  }
  if (folder === 'lib' && forLib.includes(path)) return true
  // What plugins share, and the types of what a plugin offers to others.
  if (path.startsWith('plugins/lib/') || (isType && /^plugins\/[^/]+\/provides\.ts$/.test(path))) return true
  return contract.includes(path) || path.startsWith(`plugins/${folder}/`)
}

function mayUsePackage({ file }: Source, { specifier, path }: Import): boolean {
  if (path !== undefined) return true
  if (specifier.startsWith('node:'))
    return builtinModules.includes(specifier.slice('node:'.length)) || specifier === 'node:test'
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (file.startsWith(web)) return webPackages.includes(name)
  // Builders are there only where locald is built.
  if (file.startsWith('scripts/'))
    return ['scripts/bundle.ts', 'scripts/bundle-web.ts'].includes(file) && name === 'esbuild'
  return Object.hasOwn(manifest.dependencies, name)
}

/** Asks Node for the platform: by `process`, or by one of the names of node:os and node:process that return it. */
function asksForPlatform({ text }: Source): boolean {
  const bare = code(text)
  return (
    /\bprocess\s*(?:\.\s*platform\b|\[\s*['"]platform)/.test(bare) ||
    /\{[^{}]*\bplatform\b[^{}]*\}\s*=\s*process\b/.test(bare) ||
    /\bimport\s*\{[^}]*\b(?:platform|type|release|version|machine|uname)\b(?!\s+[A-Z])[^}]*\}\s*from\s*'node:(?:os|process)'/.test(
      bare,
    ) ||
    /\bos\.(?:platform|type|release|version|machine)\s*\(/.test(bare)
  )
}

/** Everything a file does that its room's rules forbid. */
function violations(source: Source): readonly string[] {
  const { file } = source
  const imports = importsOf(source)
  const foreign = imports.filter(it => !mayImport(file, it)).map(({ path }) => `${file} imports ${path}`)
  const packages = imports
    .filter(it => !mayUsePackage(source, it))
    .map(({ specifier }) => `${file} imports '${specifier}', which is no dependency`)
  const isPlatformFree =
    ['kernel/system/platform.ts', 'scripts/build-native.ts', 'scripts/pack.ts'].includes(file) ||
    !asksForPlatform(source)
  return [...foreign, ...packages, ...(isPlatformFree ? [] : [`${file} asks for the platform`])]
}

t.test('the rooms keep to their rules', async t => {
  for (const room of ['kernel', 'plugins', 'cli', 'scripts', 'shim']) {
    const sources = sourcesOf(room)
    t.ok(sources.length > 0, `${room} has ${sources.length} files`)
    t.strictSame(sources.flatMap(violations), [], room)
  }
})

t.test('the kernel names no service type', async t => {
  const named = (text: string) =>
    [...text.matchAll(/\btype: '([a-z-]+)'(?=,\s*(?:isDefault|network|shape))/g)].map(([, type]) => type)
  const types = new Set(sourcesOf('plugins').flatMap(({ text }) => named(text)))
  t.ok(types.has('exec') && types.has('worker'), [...types].join(' '))
  for (const { file, text } of sourcesOf('kernel')) {
    for (const type of types) if (new RegExp(`['"\`]${type}['"\`]`).test(code(text))) t.fail(`${file} names '${type}'`)
  }
})

/** Words of plugins and of what they work with; the paths of a platform. */
const ofPlugins =
  /\b(?:proxy|postgres\w*|psql|hosts[ -]file|dashboards?|keychain\w*|launchd|launchctl|systemd|systemctl|cgroups?|Procfile)\b|\bshims?\b|\blocald-(?:shim|keychain)\b|LOCALD_URL|NODE_EXTRA_CA_CERTS|(?:^|[^\w.])\/(?:etc|Library|sys|private)\//i
/** What is meant otherwise: JavaScript's proxies, the codes of errors, the folder of another tool. */
const otherwise = /\bnew Proxy\(|'PROXY'|\bSHIM_(?:MISSING|FAILED)\b|\bshims\b|\bVolta's shims\b/g

t.test('the kernel knows no plugin', async t => {
  const found = sourcesOf('kernel').flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, index) => {
      const [word] = ofPlugins.exec(line.replace(otherwise, '')) ?? []
      return word === undefined ? [] : [`${file}:${index + 1} names '${word}'`]
    }),
  )
  t.strictSame(found, [])
  for (const line of ['// The proxy holds it.', "const file = '/etc/locald'", '/** Folder of a cgroup. */'])
    t.match(line, ofPlugins, line)
})

t.test('the exports of the package lead to built files', async t => {
  const { exports, bin }: { exports: Record<string, string | Record<string, string>>; bin: Record<string, string> } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.strictSame(Object.keys(exports), ['./plugin', './testing', './package.json'])
  const files = [...Object.values(exports), ...Object.values(bin)].flatMap(it =>
    typeof it === 'string' ? it : Object.values(it),
  )
  for (const file of files) t.ok(readFileSync(join(root, file)).length > 0, file)
})

t.test('the rules detect violations', async t => {
  const wrong: readonly [string, string, string][] = [
    ['kernel/a.ts', "import plugin from '../plugins/proxy/index.ts'", 'kernel/a.ts imports plugins/proxy/index.ts'],
    ['kernel/config/a.ts', "const it = await import('../../cli/main.ts')", 'kernel/config/a.ts imports cli/main.ts'],
    ['kernel/a.ts', "export { x } from '../plugins/x/x.ts'", 'kernel/a.ts imports plugins/x/x.ts'],
    ['kernel/a.ts', "import '../plugins/x/x.ts'", 'kernel/a.ts imports plugins/x/x.ts'],
    [
      'plugins/a/index.ts',
      "import {\n  type A,\n  b,\n} from '../b/index.ts'",
      'plugins/a/index.ts imports plugins/b/index.ts',
    ],
    ['plugins/a/index.ts', "import { b } from '../b/provides.ts'", 'plugins/a/index.ts imports plugins/b/provides.ts'],
    ['plugins/lib/a.ts', "import type { B } from '../b/b.ts'", 'plugins/lib/a.ts imports plugins/b/b.ts'],
    [
      'plugins/a/index.ts',
      "import type { A } from '../../kernel/plugins/load.ts'",
      'plugins/a/index.ts imports kernel/plugins/load.ts',
    ],
    [
      'plugins/a/a.ts',
      "import { x } from '../../kernel/system/files.ts'",
      'plugins/a/a.ts imports kernel/system/files.ts',
    ],
    ['plugins/lib/a.ts', "import { x } from '../a/a.ts'", 'plugins/lib/a.ts imports plugins/a/a.ts'],
    ['plugins/index.ts', "import { x } from './a/deep.ts'", 'plugins/index.ts imports plugins/a/deep.ts'],
    ['cli/a.ts', "import { Events } from '../kernel/events.ts'", 'cli/a.ts imports kernel/events.ts'],
    ['cli/a.ts', "import type { X } from '../kernel/plugins/load.ts'", 'cli/a.ts imports kernel/plugins/load.ts'],
    ['cli/a.ts', "import type { X } from '../plugins/proxy/index.ts'", 'cli/a.ts imports plugins/proxy/index.ts'],
    [
      'scripts/build-native.ts',
      "import { X } from '../kernel/errors.ts'",
      'scripts/build-native.ts imports kernel/errors.ts',
    ],
    ['cli/a.ts', "import t from 'tap'", "cli/a.ts imports 'tap', which is no dependency"],
    ['cli/a.ts', "import { join } from 'path'", "cli/a.ts imports 'path', which is no dependency"],
    ['cli/a.ts', "import { x } from '@types/semver'", "cli/a.ts imports '@types/semver', which is no dependency"],
    [
      'plugins/dashboard/web/a.tsx',
      "import { L } from '../index.ts'",
      'plugins/dashboard/web/a.tsx imports plugins/dashboard/index.ts',
    ],
    [
      'plugins/dashboard/web/a.tsx',
      "import { L } from '../../../kernel/errors.ts'",
      'plugins/dashboard/web/a.tsx imports kernel/errors.ts',
    ],
    [
      'plugins/dashboard/web/a.tsx',
      "import pg from 'pg'",
      "plugins/dashboard/web/a.tsx imports 'pg', which is no dependency",
    ],
    ['kernel/a.ts', 'if (process.platform === "x") {}', 'kernel/a.ts asks for the platform'],
    ['plugins/a/a.ts', "const it = process['platform']", 'plugins/a/a.ts asks for the platform'],
    ['plugins/a/a.ts', 'const { arch, platform } = process', 'plugins/a/a.ts asks for the platform'],
    ['cli/a.ts', "import { platform } from 'node:os'", 'cli/a.ts asks for the platform'],
    ['cli/a.ts', "import os from 'node:os'\nos.platform()", 'cli/a.ts asks for the platform'],
  ]
  for (const [file, text, expected] of wrong) t.strictSame(violations({ file, text }), [expected])
  const right: readonly [string, string][] = [
    ['plugins/a/b.ts', "import { x } from '../lib/files.ts'"],
    ['plugins/lib/files.ts', "export { x } from '../../kernel/system/files.ts'"],
    ['cli/a.ts', "import type { A } from '../kernel/protocol.ts'\nimport { type B } from '../kernel/events.ts'"],
    ['cli/a.ts', "import { LocaldError } from '../kernel/errors.ts'\nimport { x } from './b.ts'"],
    ['plugins/a/b.ts', "import type { B } from '../b/provides.ts'\nimport { find } from '../lib/programs.ts'"],
    ['plugins/a/b.ts', "import { shape } from '../../kernel/contract/shape.ts'\nimport type { P } from './index.ts'"],
    [
      'plugins/index.ts',
      "import type { BuiltIn } from '../kernel/plugins/discover.ts'\nconst a = () => import('./a/index.ts')",
    ],
    ['kernel/a.ts', "import rcompare from 'semver/functions/rcompare.js'\nimport { tmpdir } from 'node:os'"],
    ['kernel/a.ts', '/* process.platform */\n// process.platform\nconst a = 1 // process.platform'],
    ['kernel/a.ts', 'const { platform } = host'],
    [
      'plugins/dashboard/web/a.tsx',
      "import type { V } from '../../../kernel/events.ts'\nimport { render } from 'preact'",
    ],
  ]
  for (const [file, text] of right) t.strictSame(violations({ file, text }), [])
})
