/** What is published, installed from its tarballs into an empty folder, with no script of any package run. */
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { LocaldError, type Plugin } from 'locald/plugin'
import { testKernel } from 'locald/testing'
import t from 'tap'
import type { DoctorAnswer } from '../../kernel/protocol.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { root } from '../lib/user.ts'
import { checkModes, checkProgram, programsFor, targets } from './packed.ts'

/** zig compiles its C library for each machine when it is run first. */
t.setTimeout(900_000)
const machine = `${process.platform}-${process.arch}`
const packages = join(root, 'build', 'packages')
const files = {
  'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "node server.js"\n',
  'server.js': `require('node:http').createServer((_, answer) => answer.end('packed')).listen(process.env.PORT, '127.0.0.1')`,
}

t.test('every package installs from the registry into an empty folder', { timeout: 900_000 }, async t => {
  const node = (words: readonly string[]) => spawnSync(process.execPath, words, { encoding: 'utf8', env: clean() })
  const built = node([join(root, 'build', 'scripts', 'build-native.js'), '--all'])
  t.equal(built.status, 0, built.stderr)
  for (const target of targets) {
    for (const program of programsFor(target))
      checkProgram(t, join(root, 'build', 'native', target, program), program, target)
  }
  const packed = node([join(root, 'build', 'scripts', 'pack.js')])
  t.equal(packed.status, 0, packed.stderr)
  const tarballs = readdirSync(packages).map(name => join(packages, name))
  t.equal(tarballs.length, 1 + targets.length, tarballs.join(' '))
  for (const target of targets) {
    const tarball = tarballs.find(path => path.includes(`-native-${target}-`)) ?? ''
    checkModes(t, tarball, target)
    const [os, cpu] = target.split('-')
    t.match(manifestOf(tarball), { os: [os], cpu: [cpu] }, `npm installs it on ${target} alone`)
  }

  const folder = mkdtempSync(join(tmpdir(), 'locald-installed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const registry = await serve(tarballs.filter(path => basename(path).startsWith('locald-native-')))
  t.teardown(() => registry.close())
  const words = [
    'install',
    // Every package takes the Node that the tests run on: light-my-request is a dependency only since later ones want
    // Node 22.
    '--engine-strict',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
  ]
  const locald = tarballs.filter(path => !basename(path).startsWith('locald-native-'))
  await npm(folder, [...words, `--@locald:registry=${urlOf(registry)}`, ...locald])
  const modules = join(folder, 'node_modules')
  t.strictSame(
    readdirSync(join(modules, '@locald')),
    [`native-${machine}`],
    'the package for this machine, and no other',
  )
  for (const name of ['locald', `@locald/native-${machine}`]) {
    const manifest = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'))
    t.notMatch(Object.keys(manifest.scripts ?? {}), /install|prepare/, `${name} has no install scripts`)
  }
  const { optionalDependencies } = JSON.parse(readFileSync(join(modules, 'locald', 'package.json'), 'utf8'))
  const natives = targets.map(target => `@locald/native-${target}`)
  t.strictSame(Object.keys(optionalDependencies), natives, 'PostgreSQL is fetched when the first service needs it')
  t.notOk(existsSync(join(modules, 'locald', 'build', 'native')))
  spawnSync('chmod', ['-R', 'a+rX', folder])

  for (const how of ['prebuilt', 'compiled'] as const) {
    const box = new Sandbox(t, { main: join(modules, 'locald', 'dist', 'cli', 'main.cjs') })
    const project = box.project('shop', files)
    if (how === 'compiled') rmSync(join(modules, '@locald'), { recursive: true })
    await box.up(project)
    t.equal((await box.get('shop.localhost')).body, 'packed', how)
    const native = join(box.home, 'data', 'locald')
    const words = [native, '-name', 'locald-keeper', '-o', '-name', 'locald-shim']
    const found = spawnSync('find', words, { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(path => path !== '')
    t.equal(found.length, how === 'compiled' ? 2 : 0, `${how}: ${found.join(' ')}`)
    for (const path of found) t.match(path, `-${machine}/`, 'for this kind of machine alone')
    await box.ok(['stop'], { cwd: project })
  }
})

t.test('without the privileged helper services run, and doctor reports it as missing', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'locald-native-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  copyFileSync(join(root, 'build', 'native', 'locald-keeper'), join(folder, 'locald-keeper'))
  spawnSync('chmod', ['-R', 'a+rX', folder])
  const box = new Sandbox(t, { env: { LOCALD_NATIVE: folder } })
  const project = box.project('shop', files)
  await box.up(project)
  const doctor: DoctorAnswer = JSON.parse((await box.ok(['doctor', '--json'])).stdout)
  t.match(
    doctor.checks.find(({ id }) => id === 'shim-version'),
    { status: 'warn', summary: `${join(folder, 'locald-shim')} not found: `, fix: /npm run build/ },
  )
  await box.ok(['stop'], { cwd: project })
})

t.test('bundles', async t => {
  const dist = join(root, 'dist')
  const modules = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    // The server of sites is a program of its own.
    .filter(name => name.endsWith('.js') && !name.startsWith(join('plugins', 'site', 'server')))
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
  t.match(readFileSync(join(dist, 'cli', 'main.cjs'), 'utf8'), /^#!\/bin\/sh\n':' \/\/; exec node -- /)
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
      files: ['locald-keeper', 'locald-shim', os === 'linux' ? 'locald-native.node' : 'locald-keychain'],
    })
    t.notOk('scripts' in manifest || 'dependencies' in manifest)
  }
})

/** A registry of npm with one version of each package (its documented "abbreviated metadata"). */
async function serve(tarballs: readonly string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    const tarball = tarballs.find(it => path === `/${basename(it)}` || path === `/${nameOf(it)}`)
    if (tarball === undefined) return response.writeHead(404).end('{}')
    if (path.endsWith('.tgz')) return response.end(readFileSync(tarball))
    const { version, ...manifest } = manifestOf(tarball)
    const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    const dist = { integrity, tarball: `${urlOf(server)}/${basename(tarball)}` }
    const versions = { [version]: { ...manifest, version, dist } }
    return response.end(JSON.stringify({ name: nameOf(tarball), 'dist-tags': { latest: version }, versions }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function urlOf(server: Server): string {
  const bound = server.address()
  return `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
}

/** `@locald/native-linux-x64` of `…/locald-native-linux-x64-0.1.0.tgz`. */
function nameOf(tarball: string): string {
  return basename(tarball).replace(/^locald-(native-[a-z]+-[a-z0-9]+)-.*$/, '@locald/$1')
}

function manifestOf(tarball: string): { readonly version: string } {
  const read = spawnSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  return JSON.parse(read.stdout)
}

/** Fails with what npm said. */
async function npm(cwd: string, words: readonly string[]): Promise<void> {
  await promisify(execFile)('npm', words, { cwd, env: clean() })
}

/** Without what the test runner and npm itself put there. */
function clean(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:TAP|npm_(?:lifecycle|package|config_local))/.test(name),
  )
  return Object.fromEntries(own)
}
