/**
 * Bundles the programs into dist/: `node build/scripts/bundle.js`. Node spends most of its start on finding and reading
 * hundreds of small modules. Unit tests import the output of tsc in build/; end-to-end tests run the bundles, as users
 * do.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { bundleWeb } from './bundle-web.ts'
import { esmBanner } from './esm-banner.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const output = join(root, 'dist')

const common = {
  absWorkingDir: root,
  outdir: output,
  outbase: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  legalComments: 'none',
  // Less to read at each start. Names stay, for the stacks of errors.
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions

/**
 * Packages that are imported when they are first needed stay outside: a daemon finds them by name, also after an update
 * under it.
 */
const lazyPackages: Plugin = {
  name: 'lazy-packages',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^.]/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
}

/**
 * What is imported late. The names of these files must not change with their texts, so that a daemon finds them after an
 * update under it, too.
 */
const implementations = readdirSync(join(root, 'plugins')).flatMap(name => {
  const file = `plugins/${name}/implementation.ts`
  return existsSync(join(root, file)) ? [file] : []
})
const late = ['kernel/api/openapi-document.ts', 'plugins/project-sources/compose/index.ts', ...implementations]

/** What every start of the daemon imports. */
const startParts = ['kernel/kernel.ts', 'plugins/index.ts']

/**
 * Makes what is imported late import all that the daemon has imported before. Modules that the same entries import are in
 * one chunk: without this, each group of entries has chunks of its own, and Node takes half a millisecond for each.
 */
const fewChunks: Plugin = {
  name: 'few-chunks',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const file = relative(root, path)
      if (!late.includes(file)) return undefined
      const imports = startParts.map(part => `import ${JSON.stringify(join(root, part))}`)
      return { contents: `${readFileSync(path, 'utf8')}\n${imports.join('\n')}\n`, loader: 'ts' }
    }),
}

/**
 * The daemon, its plugins and the contract: what several use is in a chunk of its own, so that a class exists once in a
 * process.
 */
const modules = {
  ...common,
  entryPoints: [
    ...['kernel/daemon.ts', 'kernel/contract/index.ts', 'kernel/testing/index.ts', 'plugins/index.ts'],
    ...late,
  ],
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  plugins: [lazyPackages, fewChunks],
  // Of fastify, for what locald does not use.
  external: ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request', 'pino'],
  banner: esmBanner,
} satisfies BuildOptions

/** A program of its own, which the plugin starts by its name. */
const site = { ...modules, entryPoints: ['plugins/site/server/main.ts'], splitting: false } satisfies BuildOptions

const commonJs = {
  ...common,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname' },
} satisfies BuildOptions

/** What one command alone needs and is large: a program of its own, so that others do not read it. */
const rareParts = ['ai', 'attach', 'edit', 'expect', 'export', 'mcp', 'monitor', 'watch'].map(
  room => `cli/${room}/index`,
)

const separateParts: Plugin = {
  name: 'separate-parts',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) => {
      const part = relative(root, join(resolveDir, path)).replace(/\.ts$/, '')
      if (kind !== 'dynamic-import' || !rareParts.includes(part)) return undefined
      return { path: `./${relative('cli', part)}.cjs`, external: true }
    }),
}

/** The command line. A short command takes a fifth longer when its first file is an ES module. */
const program = { ...commonJs, entryPoints: ['cli/main.ts'], plugins: [separateParts] } satisfies BuildOptions

const parts = { ...commonJs, entryPoints: rareParts.map(part => `${part}.ts`) } satisfies BuildOptions

/**
 * The first lines of the command line's program, in sh and in JavaScript, where the second one is a string. Node looks for
 * the file of an `--env-file` among a script's arguments, too, and exits with 9 where there is none, but not after `--`:
 * https://github.com/nodejs/node/issues/54232. `env -S`, which could pass it, is missing in BusyBox.
 */
const launcher = '#!/bin/sh\n\':\' //; exec node -- "$0" "$@"\n'

/** Lists the folders of the bundled npm packages, sorted. */
function packagesOf(files: readonly Metafile[]): readonly string[] {
  const inputs = files.flatMap(({ inputs }) => Object.keys(inputs))
  const folders = inputs.map(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
  return [...new Set(folders.filter(folder => folder !== undefined))].sort()
}

/** Returns a package's name and version, and the texts of its licence. */
function licenceOf(folder: string): string {
  const { name, version, license }: { name: string; version: string; license?: string } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const files = readdirSync(folder).filter(file => /^(?:licen[cs]e|copying|notice)/i.test(file))
  const texts = files.map(file => readFileSync(join(folder, file), 'utf8').trim())
  return [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n')
}

/**
 * Escapes all other characters than ASCII: esbuild leaves those of regular expressions and templates, and one of them
 * makes V8 keep the whole text, for as long as the daemon runs, with two bytes for each character.
 */
function escapeText(file: string): void {
  const text = readFileSync(file, 'utf8')
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(text)) throw new Error(`${file}: a raw template cannot be escaped`)
  // By code unit: `\u{…}` is valid in some regular expressions only.
  const escaped = text.replaceAll(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  writeFileSync(file, escaped)
}

rmSync(output, { recursive: true, force: true })
const made = await Promise.all([build(modules), build(site), build(program), build(parts)])
for (const { metafile } of made) for (const file of Object.keys(metafile.outputs)) escapeText(join(root, file))
const metafiles = [...made.map(({ metafile }) => metafile), ...(await bundleWeb())]
const licences = packagesOf(metafiles).map(folder => licenceOf(join(root, folder)))
writeFileSync(join(output, 'LICENSES.txt'), `${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
const main = join(output, 'cli', 'main.cjs')
writeFileSync(main, readFileSync(main, 'utf8').replace(/^#!.*\n/, launcher))
// Running the CLI from tsc's output runs the bundle, too.
writeFileSync(
  join(root, 'build', 'cli', 'main.js'),
  "#!/usr/bin/env node\nprocess.getBuiltinModule('node:module').createRequire(import.meta.url)('../../dist/cli/main.cjs')\n",
)
