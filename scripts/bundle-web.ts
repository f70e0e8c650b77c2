/** Bundles the web app of the dashboard into dist/web/: hashed names, each file also compressed, and a list of all. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib'
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const web = join(root, 'plugins', 'dashboard', 'web')
const output = join(root, 'dist', 'web')
const assets = join(output, 'assets')

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

/** A file of the web app, as in dist/web/manifest.json. */
interface WebFile {
  /** The path that it is served at, and below dist/web/; `index.html` has no other. */
  readonly path: string
  readonly type: string
  /** Its name has a hash of its content. */
  readonly isImmutable: boolean
  /** Bytes as it is, and of the file beside it with `.br` and `.gz`. */
  readonly size: number
  readonly br: number
  readonly gz: number
  /** The browser loads it before it shows anything. */
  readonly isFirst: boolean
}

/** Sources that are loaded when they are first needed. */
const late =
  /[/\\]web[/\\]screens[/\\](?:\w+[/\\]index\.tsx|service[/\\]chart\.ts|graph[/\\]layout\.ts|terminals[/\\]emulator\.ts)$/

const common = {
  absWorkingDir: root,
  outdir: assets,
  bundle: true,
  minify: true,
  platform: 'browser',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions

/**
 * Makes a module of a style sheet that a script imports, which adds the sheet to the document: so a screen that is loaded
 * late brings its own, and a policy without 'unsafe-inline' allows it.
 */
const adoptedStyles: Plugin = {
  name: 'adopted-styles',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const made = await build({ ...common, entryPoints: [path], write: false, metafile: false })
      const text = JSON.stringify(made.outputFiles[0]?.text ?? '')
      const add = 'const sheet = new CSSStyleSheet()\nsheet.replaceSync(text)\ndocument.adoptedStyleSheets.push(sheet)'
      return { contents: `const text = ${text}\n${add}\n`, loader: 'js' }
    }),
}

/** What xterm does that the policy of the page refuses, the same without that, and how often it is there. */
const xtermChanges = [
  [/\.createElement\("style"\)/g, '.createElement("xterm-style")', 3],
  [
    /(\w)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w)\};`\)/g,
    '$1.style.cssText+=$2+";"',
    1,
  ],
] as const

/**
 * Lets xterm write its styles under a policy without 'unsafe-inline': elements of ours take the place of its `<style>`
 * (`screens/terminals/xterm-style.ts`), and the object model that of its attributes.
 */
const strictXterm: Plugin = {
  name: 'strict-xterm',
  setup: ({ onLoad }) =>
    onLoad({ filter: /@xterm[/\\]xterm[/\\]lib[/\\]xterm\.mjs$/ }, ({ path }) => {
      const contents = xtermChanges.reduce(
        (text, [before, after, count]) => {
          if ([...text.matchAll(before)].length !== count)
            throw new Error(`${path} does not have ${before} ${count} times`)
          return text.replace(before, after)
        },
        readFileSync(path, 'utf8'),
      )
      return { contents, loader: 'js' }
    }),
}

/** Puts the tokens that the web app shares with other pages in the place of `@import "locald:tokens"`. */
const sharedTokens: Plugin = {
  name: 'shared-tokens',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^locald:tokens$/ }, ({ path }) => ({ path, namespace: 'locald' }))
    onLoad({ filter: /./, namespace: 'locald' }, async () => {
      const { tokens }: { tokens: string } = await import(join(root, 'build', 'plugins', 'lib', 'page', 'tokens.js'))
      return { contents: tokens, loader: 'css' }
    })
  },
}

/** Rooms of the web app that all screens share, and the packages that these use. */
const sharedRooms = ['actions', 'parts', 'state']
const sharedPackages = ['preact', 'preact/hooks', 'preact/jsx-runtime', '@preact/signals']

/**
 * Lets every part that is loaded late import all that is shared, so that this is one file: esbuild makes one of each set
 * of modules that the same parts import, which were twenty, and a browser asks for six at a time.
 */
const oneSharedFile: Plugin = {
  name: 'one-shared-file',
  setup: ({ onResolve, onLoad }) => {
    const files = sharedRooms.flatMap(room => readdirSync(join(web, room)).map(name => `./${room}/${name}`))
    const modules = [...files.filter(name => /\.tsx?$/.test(name)), './api.ts', './stream/client.ts', ...sharedPackages]
    onResolve({ filter: /^locald:shared$/ }, ({ path }) => ({ path, namespace: 'shared' }))
    onLoad({ filter: /./, namespace: 'shared' }, () => ({
      contents: modules.map(name => `import ${JSON.stringify(name)}\n`).join(''),
      resolveDir: web,
    }))
    onLoad({ filter: late }, ({ path }) => ({
      contents: `import 'locald:shared'\n${readFileSync(path, 'utf8')}`,
      loader: path.endsWith('x') ? 'tsx' : 'ts',
    }))
  },
}

/** Bundles the app; returns what it was made of. */
export async function bundleWeb(): Promise<readonly Metafile[]> {
  rmSync(output, { recursive: true, force: true })
  const alone = await build({
    ...common,
    entryPoints: ['stream/worker.ts', 'screens/logs/regex-worker.ts'].map(path => join(web, path)),
    format: 'iife',
  })
  const worker = pathOf(alone, 'stream/worker.ts')
  const define = {
    STREAM_WORKER: JSON.stringify(worker),
    REGEX_WORKER: JSON.stringify(pathOf(alone, 'screens/logs/regex-worker.ts')),
  }
  const early = await build({ ...common, entryPoints: [join(web, 'early.ts')], format: 'iife', define })
  const app = await build({
    ...common,
    entryPoints: [join(web, 'main.tsx')],
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define,
    plugins: [adoptedStyles, strictXterm, oneSharedFile],
  })
  const style = await build({ ...common, entryPoints: [join(web, 'style.css')], plugins: [sharedTokens] })
  const icon = writeHashed('icon.svg', readFileSync(join(web, 'icon.svg'), 'utf8'))
  const places = new Map([
    ['icon.svg', icon],
    ['app.webmanifest', writeHashed('app.webmanifest', fill('app.webmanifest', new Map([['icon.svg', icon]])))],
    ['early.js', pathOf(early, 'early.ts')],
    ['style.css', pathOf(style, 'style.css')],
    ['main.js', pathOf(app, 'main.tsx')],
  ])
  // All code of the first page is asked for with it, not when main.js has been read.
  const modules = new Set(staticImports(app, 'main.tsx'))
  const preloads = [...modules].map(path => `<link rel="modulepreload" href="${path}">`).join('\n    ')
  writeFileSync(join(output, 'index.html'), fill('index.html', new Map([...places, ['preloads', preloads]])))
  const first = new Set(['/index.html', worker, ...places.values(), ...modules])
  const paths = ['/index.html', ...readdirSync(assets).map(name => `/assets/${name}`)]
  const files = paths.sort().map(path => compress(path, first))
  writeFileSync(join(output, 'manifest.json'), `${JSON.stringify({ files }, undefined, 2)}\n`)
  return [alone, early, app, style].map(({ metafile }) => metafile)
}

type Made = BuildResult<{ metafile: true }>

/** Returns the path that the output of a source is served at. */
function pathOf({ metafile }: Made, source: string): string {
  const [path] =
    Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(`web/${source}`)) ?? []
  if (path === undefined) throw new Error(`esbuild made nothing of ${source}`)
  return served(path)
}

function served(path: string): string {
  return `/assets/${basename(path)}`
}

/** Lists the chunks that a source's output imports, and those that these import, but not what is imported late. */
function staticImports({ metafile }: Made, source: string): readonly string[] {
  const found = new Set<string>()
  const visit = (path: string): void => {
    if (found.has(path)) return
    found.add(path)
    for (const { kind, path: next } of metafile.outputs[path]?.imports ?? [])
      if (kind === 'import-statement') visit(next)
  }
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs))
    if (entryPoint?.endsWith(`web/${source}`)) visit(path)
  return [...found].map(served)
}

/** Returns a source file with the paths of others in place of `{name}`. */
function fill(name: string, places: ReadonlyMap<string, string>): string {
  const text = readFileSync(join(web, name), 'utf8')
  return text.replace(/\{([\w.]+)\}/g, (_, other: string) => {
    const path = places.get(other)
    if (path === undefined) throw new Error(`${name} names ${other}, which is not built`)
    return path
  })
}

function writeHashed(name: string, text: string): string {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 8)
  const file = `${basename(name, extname(name))}-${hash}${extname(name)}`
  if (!existsSync(assets)) mkdirSync(assets, { recursive: true })
  writeFileSync(join(assets, file), text)
  return `/assets/${file}`
}

/** Writes a file's compressed forms beside it. */
function compress(path: string, first: ReadonlySet<string>): WebFile {
  const file = join(output, path)
  const content = readFileSync(file)
  const br = brotliCompressSync(content, { params: { [zlib.BROTLI_PARAM_QUALITY]: 11 } })
  const gz = gzipSync(content, { level: 9 })
  writeFileSync(`${file}.br`, br)
  writeFileSync(`${file}.gz`, gz)
  const type = types[extname(path)]
  if (type === undefined) throw new Error(`no content type for ${path}`)
  return {
    ...{ path, type, isImmutable: path.startsWith('/assets/'), isFirst: first.has(path) },
    ...{ size: content.length, br: br.length, gz: gz.length },
  }
}
