import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Files, failureOf, folderOf, infer, lines } from './folders.ts'

const dev = { dev: 'node server.js' }

function manifest(name: string | undefined, scripts: Readonly<Record<string, string>>, more: object = {}): string {
  return JSON.stringify({ ...(name === undefined ? {} : { name }), scripts, ...more })
}

function workspace(patterns: unknown, packages: Files, root: object = {}): Files {
  const files = Object.entries(packages).map(([dir, text]) => [`${dir}/package.json`, text])
  return { 'package.json': JSON.stringify({ workspaces: patterns, ...root }), ...Object.fromEntries(files) }
}

t.test('each package with a dev script is a service of its own, the front end is web', async t => {
  const files = workspace(['packages/*', 'apps/**', '!**/legacy', './tools/one/', '../outside'], {
    'apps/api': manifest('@acme/api', dev),
    'apps/group/frontend': manifest('@acme/frontend', { 'start:dev': 'vite' }),
    'apps/legacy': manifest('legacy', dev),
    'apps/node_modules/x': manifest('x', dev),
    'apps/.hidden': manifest('hidden', dev),
    'packages/ui': manifest('ui', { dev: 'tsup --watch' }),
    'packages/lib': manifest('lib', { build: 'tsc', start: 'node .' }),
    'packages/one/two': manifest('deep', dev),
    'tools/one': manifest(undefined, dev),
    'tools/two': manifest('two', dev),
    '../outside': manifest('outside', dev),
  })
  const answer = await infer(folderOf(t, files))
  t.equal(answer.file, 'package.json')
  t.strictSame(lines(answer), [
    'api (in apps/api): npm run dev',
    'web (in apps/group/frontend): npm run start:dev',
    'ui (worker, in packages/ui): npm run dev',
    'one (in tools/one): npm run dev',
  ])
  t.equal(answer.files['web'], 'apps/group/frontend/package.json')
  t.strictSame(answer.notes, ["apps/group/frontend is the service web, which has the project's domain"])
})

t.test('reads pnpm-workspace.yaml, and the manager of the root', async t => {
  const yaml = 'packages:\n  - "apps/*" # all\n  - "!apps/old"\ncatalog: {x: ^1}\n'
  const apps = { 'apps/web/package.json': manifest('web', dev), 'apps/old/package.json': manifest('old', dev) }
  const bare = await infer(folderOf(t, { 'pnpm-workspace.yaml': yaml, ...apps }))
  t.equal(bare.file, 'pnpm-workspace.yaml')
  t.strictSame(lines(bare), ['web (in apps/web): pnpm run dev'])
  const other = workspace({ packages: ['apps/*'] }, {}, { packageManager: 'bun@1.2.0' })
  t.strictSame(lines(await infer(folderOf(t, { ...other, ...apps }))), [
    'old (in apps/old): bun run dev',
    'web (in apps/web): bun run dev',
  ])
  const settings = { 'pnpm-workspace.yaml': 'onlyBuiltDependencies: [x]\n', 'package.json': manifest('x', dev) }
  t.strictSame(lines(await infer(folderOf(t, settings))), ['web: pnpm run dev'])
  t.equal((await failureOf(folderOf(t, { 'pnpm-workspace.yaml': 'packages:\n  - "a\n' }))).code, 'CONFIG_INVALID')
})

t.test('the root has a service unless its script only runs those of packages', async t => {
  const apps = { 'apps/web': manifest('web', dev), 'apps/api': manifest('api', dev) }
  const all = ['api (in apps/api): npm run dev', 'web (in apps/web): npm run dev']
  const only = ['web (in apps/web): npm run dev']
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['turbo run dev', all],
    ['nx run-many -t dev', all],
    ['concurrently "npm:dev:*"', all],
    ['npm run dev --workspaces --if-present', all],
    ['pnpm -r --parallel dev', all],
    ['yarn workspaces foreach -A run dev', all],
    ['bun --filter "*" dev', all],
    ['npm run all', all],
    ['turbo dev --filter=web...', only],
    ['pnpm --filter ./apps/web dev', only],
    ['npm run dev -w apps/web', only],
    ['yarn workspace web dev', only],
    ['nx serve web', only],
    ['cd apps/web && npm run dev', only],
    ['turbo dev --filter=other', all],
    ['node gateway.js', ['gateway: npm run dev', ...all]],
  ]
  for (const [script, expected] of cases) {
    const root = { name: 'gateway', scripts: { dev: script, all: 'lerna run dev' } }
    t.strictSame(lines(await infer(folderOf(t, workspace(['apps/*'], apps, root)))), expected, script)
  }
})

t.test('without a dev script in any package, packages are started by start, or the root is', async t => {
  const root = { scripts: { dev: 'node root.js' } }
  const started = { a: manifest('a', { start: 'node .' }), b: manifest('b', { serve: 'node .', start: 'tsc -w' }) }
  t.strictSame(lines(await infer(folderOf(t, workspace(['*'], started)))), ['a (in a): npm run start'])
  const none = { a: manifest('a', { build: 'tsc' }) }
  t.strictSame(lines(await infer(folderOf(t, workspace(['*'], none, root)))), ['web: npm run dev'])
})

t.test('the main package is known by its name, its framework, or as the only one', async t => {
  const names = async (packages: Readonly<Record<string, object>>) => {
    const files = Object.entries(packages).map(([name, more]) => [`apps/${name}`, manifest(name, dev, more)])
    return Object.keys((await infer(folderOf(t, workspace(['apps/*'], Object.fromEntries(files))))).services)
  }
  const next = { dependencies: { next: '1' } }
  t.strictSame(await names({ site: {}, other: next }), ['other', 'web'], 'by its name')
  t.strictSame(await names({ shop: {}, other: {} }), ['other', 'web'], 'named as the project')
  t.strictSame(await names({ a: {}, b: next }), ['a', 'web'])
  t.strictSame(await names({ docs: next, portal: { devDependencies: { vite: '1' } } }), ['docs', 'web'])
  t.strictSame(await names({ a: next, b: next }), ['a', 'b'], 'not where two could be it')
  t.strictSame(await names({ 'my-app': {} }), ['my-app'], 'the only one has the domain by any name')
})

t.test('packages with the same name get that of their folder', async t => {
  const files = workspace(['*', 'sub/*'], {
    one: manifest('@a/x', dev),
    two: manifest('@b/x', dev),
    'sub/one': manifest('@c/X', dev),
    Fünf: manifest(undefined, dev),
    constructor: manifest(undefined, dev),
  })
  t.strictSame(Object.keys((await infer(folderOf(t, files))).services).toSorted(), [
    'constructor',
    'funf',
    'one',
    'sub-one',
    'two',
  ])
})

t.test('links and endless or huge trees cost little', async t => {
  const folder = folderOf(t, workspace(['**', 'packages/*'], { 'packages/a': manifest('a', dev) }))
  symlinkSync('..', join(folder, 'packages/up'))
  symlinkSync('/', join(folder, 'packages/root'))
  t.strictSame(lines(await infer(folder)), ['a (in packages/a): npm run dev'])
  for (let number = 0; number < 700; number++) mkdirSync(join(folder, 'packages', `p${number}`))
  const started = performance.now()
  t.match((await infer(folder)).notes, [/^only the first 1 packages/])
  t.ok(performance.now() - started < 3000, `${performance.now() - started} ms`)
  for (let number = 100; number < 125; number++)
    writeFileSync(join(folder, `packages/p${number}/package.json`), manifest('p', dev))
  const many = await failureOf(folder)
  t.match(many.message, /26 packages of the workspaces have a script to start, more than 20/)
})

t.test('ordinary folders take a moment', async t => {
  const packages = Array.from({ length: 12 }, (_, index) => [`packages/p${index}`, manifest(`p${index}`, dev)])
  const folder = folderOf(t, workspace(['packages/*'], Object.fromEntries(packages)))
  await infer(folder)
  let best = Number.POSITIVE_INFINITY
  // On a machine that does much else, most rounds wait for it.
  for (let round = 0; round < 100 && best >= 20; round++) {
    const started = performance.now()
    await infer(folder)
    best = Math.min(best, performance.now() - started)
  }
  t.ok(best < 20, `${best} ms`)
})
