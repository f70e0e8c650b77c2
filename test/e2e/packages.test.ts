/** What is published, installed from its tarballs into an empty folder, with no script of any package run. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocaldError, type Plugin } from 'locald/plugin'
import { testKernel } from 'locald/testing'
import t from 'tap'
import { root } from '../user.ts'
import { Sandbox } from './sandbox.ts'

const limitMs = 300_000
const machine = `native-${process.platform}-${process.arch}`
const files = {
  'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "node server.js"\n',
  'server.js': `require('node:http').createServer((_, answer) => answer.end('packed')).listen(process.env.PORT, '127.0.0.1')`,
}

t.test('tarballs', { timeout: limitMs }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'locald-installed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const packed = spawnSync(process.execPath, [join(root, 'build', 'shim', 'pack.js'), '--here'], { encoding: 'utf8' })
  t.equal(packed.status, 0, packed.stderr)
  const tarballs = readdirSync(join(root, 'build', 'packages')).map(name => join(root, 'build', 'packages', name))
  t.equal(tarballs.length, 2, tarballs.join(' '))
  const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const installed = spawnSync('npm', [...words, ...tarballs], { cwd: folder, encoding: 'utf8', env: clean() })
  t.equal(installed.status, 0, installed.stderr)
  const modules = join(folder, 'node_modules')
  t.strictSame(readdirSync(join(modules, '@locald')), [machine], 'the package for this machine, and no other')
  for (const name of ['locald', `@locald/${machine}`]) {
    const manifest = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'))
    t.notMatch(Object.keys(manifest.scripts ?? {}), /install|prepare/, `${name} has no install scripts`)
  }
  t.notOk(existsSync(join(modules, 'locald', 'build', 'native')))
  spawnSync('chmod', ['-R', 'a+rX', folder])

  for (const how of ['prebuilt', 'compiled'] as const) {
    const box = new Sandbox(t, { main: join(modules, 'locald', 'dist', 'cli', 'main.cjs') })
    const project = box.project('shop', files)
    if (how === 'compiled') rmSync(join(modules, '@locald'), { recursive: true })
    await box.up(project)
    t.equal((await box.get('shop.localhost')).body, 'packed', how)
    const native = join(box.home, 'data', 'locald')
    const found = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter(path =>
      /locald-(?:keeper|shim)$/.test(path),
    )
    t.equal(found.length, how === 'compiled' ? 2 : 0, `${how}: ${found.join(' ')}`)
    await box.ok(['stop'], { cwd: project })
  }
})

t.test('bundles', async t => {
  const dist = join(root, 'dist')
  const modules = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js'))
  const text = modules.map(name => readFileSync(join(dist, name), 'utf8')).join('\n')
  t.equal(text.match(/\bclass \w*LocaldError\b/g)?.length, 1, 'the daemon and the contract share one class of errors')
  t.equal(text.match(/\bfunction driverOf\b/g)?.length, 1, 'and one copy of the kernel')
  const plugin: Plugin = {
    name: 'locald-plugin-late',
    api: 1,
    setup() {
      throw new LocaldError('PLUGIN_SETUP', 'too late')
    },
  }
  const kernel = await testKernel({ plugins: [plugin], builtIns: ['exec-runtime'] })
  t.match(kernel.plugins, [
    { name: 'exec-runtime' },
    { name: 'locald-plugin-late', state: 'broken', reason: 'too late' },
  ])
  const refused: unknown = await kernel.command('none').catch((error: unknown) => error)
  t.ok(refused instanceof LocaldError && refused.code === 'UNKNOWN_COMMAND')
  await kernel.close()
  t.match(readFileSync(join(dist, 'cli', 'main.cjs'), 'utf8'), /^#!\/usr\/bin\/env node\n/)
  t.match(readFileSync(join(dist, 'LICENSES.txt'), 'utf8'), /^fastify \d.* \(MIT\)\n[\s\S]*^Copyright .*Fastify team/m)
})

t.test('manifests of the packages', async t => {
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const names = readdirSync(join(root, 'packages')).filter(name => name !== 'README.md')
  t.strictSame(names.sort(), ['native-darwin-arm64', 'native-darwin-x64', 'native-linux-arm64', 'native-linux-x64'])
  for (const name of names) {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
    const [, os, cpu] = name.split('-')
    t.match(manifest, {
      name: `@locald/${name}`,
      version,
      os: [os],
      cpu: [cpu],
      files: ['locald-keeper', 'locald-shim'],
    })
    t.notOk('scripts' in manifest || 'dependencies' in manifest)
  }
})

/** Without what the test runner and npm itself put there. */
function clean(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:NODE_OPTIONS|TAP|_TAPJS|npm_(?:lifecycle|package|config_local))/.test(name),
  )
  return Object.fromEntries(own)
}
