/**
 * Packs the npm packages: `node build/scripts/pack.js [--here]`. It writes to build/packages one tarball of locald, and
 * one of the native programs for each machine. `--here`: only for this machine, with the programs that were built for
 * it.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isFor, programs, targets } from './native-programs.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const native = join(root, 'build', 'native')
const output = join(root, 'build', 'packages')
const stage = join(output, 'stage')
/** The files of the published locald, with the sources of the native programs, for machines without a package. */
const parts = [
  'dist',
  'build/scripts/build-native.js',
  'build/scripts/native-programs.js',
  'docs',
  'README.md',
  'LICENSE',
]

interface Manifest {
  readonly [key: string]: unknown
  readonly version: string
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function pack(folder: string): void {
  const words = ['pack', '--ignore-scripts', '--silent', '--pack-destination', output]
  if (spawnSync('npm', words, { cwd: folder, stdio: 'inherit' }).status !== 0) fail(`npm pack failed in ${folder}.`)
}

/** Packs the programs for one machine: those that `--all` built, or those built for this machine. */
function packNative(target: string, from: string, { version }: Manifest): void {
  const folder = join(stage, `native-${target}`)
  mkdirSync(folder, { recursive: true })
  const manifest = { ...readManifest(join(root, 'packages', `native-${target}`)), version }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  for (const { name } of programs.filter(it => isFor(it, target.startsWith('darwin')))) {
    if (!existsSync(join(from, name))) fail(`There is no ${join(from, name)}: \`npm run build:native\` builds it.`)
    copyFileSync(join(from, name), join(folder, name))
    chmodSync(join(folder, name), 0o755)
  }
  pack(folder)
}

function packLocald(manifest: Manifest): void {
  const folder = join(stage, 'locald')
  for (const part of parts) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  // The types of the contract.
  const isType = (path: string): boolean => path.endsWith('.d.ts') || statSync(path).isDirectory()
  cpSync(join(root, 'build', 'kernel'), join(folder, 'build', 'kernel'), { recursive: true, filter: isType })
  for (const part of ['native/common', ...programs.map(it => it.folder)]) {
    const isSource = (path: string): boolean => !/\/corpus$|\/fuzz\.c$/.test(path)
    cpSync(join(root, part), join(folder, part), { recursive: true, filter: isSource })
  }
  const { devDependencies: _, tap: __, scripts: ___, files: ____, ...rest } = manifest
  const optionalDependencies = Object.fromEntries(targets.map(it => [`@locald/native-${it.folder}`, manifest.version]))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...rest, optionalDependencies }, null, 2)}\n`)
  pack(folder)
}

const here = process.argv.includes('--here')
const manifest = readManifest(root)
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })
const machine = `${process.platform}-${process.arch}`
for (const { folder } of here ? targets.filter(it => it.folder === machine) : targets) {
  packNative(folder, here ? native : join(native, folder), manifest)
}
packLocald(manifest)
rmSync(stage, { recursive: true })
