/** One command of a shell line: its program without folders, and its arguments. */
export interface SimpleCommand {
  readonly program: string
  readonly args: readonly string[]
}

/** Words before the program that is meant: it runs with a variable, or from the packages of a project. */
const prefixes: readonly RegExp[] = [
  /^(?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|\S*)|exec|env|time|cross-env|command)\s+/,
  /^(?:npx|bunx|pnpx)\s+(?:-\S+\s+)*/,
  /^(?:npm|pnpm|yarn)\s+(?:exec|dlx)\s+(?:--\s+)?/,
  /^(?:bundle\s+exec|(?:poetry|uv|pipenv|pdm)\s+run)\s+/,
  /^\S*python[\d.]*\s+-m\s+/,
  // The program is the script: `python manage.py`, `ruby bin/rails`, `php artisan`.
  /^\S*(?:python[\d.]*|ruby)\s+(?=[\w./-]*(?:manage\.py|rails)\b)/,
  /^\S*php\s+(?=artisan\b)/,
]

/** Characters of a line that are looked at: a file may have one of a mebibyte. */
export const lineLimit = 4096

/** Splits a shell line to its commands, roughly: quotes are not read, as only the first words count. */
export function commandsOf(line: string): readonly SimpleCommand[] {
  return line
    .slice(0, lineLimit)
    .split(/&&|\|\||[;|&\n]/)
    .map(text => withoutPrefixes(text.trim()))
    .flatMap(text => {
      const [path, ...args] = text.split(/\s+/)
      const program = path?.slice(path.lastIndexOf('/') + 1)
      return program === undefined || program === '' ? [] : [{ program, args }]
    })
}

function withoutPrefixes(text: string): string {
  const found = prefixes.find(prefix => prefix.test(text))
  return found === undefined ? text : withoutPrefixes(text.replace(found, ''))
}

/** Programs that do nothing but serve. */
const alwaysServe = new Set([
  ...['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'waitress-serve', 'puma', 'unicorn', 'rackup', 'thin', 'falcon'],
  ...[
    'webpack-dev-server',
    'http-server',
    'live-server',
    'json-server',
    'http.server',
    'start-storybook',
    'slidev',
    'marko-run',
  ],
])

/** Arguments with which a program serves. */
const servers: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    next: ['dev', 'start'],
    nuxt: ['dev', 'start', 'preview'],
    nuxi: ['dev', 'preview'],
    astro: ['dev', 'preview'],
    remix: ['dev'],
    'react-router': ['dev'],
    rsbuild: ['dev', 'preview'],
    ng: ['serve', 's', 'dev'],
    ember: ['serve', 's', 'server'],
    'vue-cli-service': ['serve'],
    'react-scripts': ['start'],
    webpack: ['serve', 's', 'server'],
    storybook: ['dev'],
    wrangler: ['dev'],
    netlify: ['dev'],
    vercel: ['dev'],
    docusaurus: ['start', 'serve'],
    gatsby: ['develop', 'serve'],
    vitepress: ['dev', 'serve', 'preview'],
    vuepress: ['dev'],
    strapi: ['develop', 'dev', 'start'],
    sanity: ['dev', 'start'],
    quasar: ['dev', 'serve'],
    ionic: ['serve', 's'],
    vinxi: ['dev', 'start'],
    vike: ['dev', 'preview'],
    modern: ['dev', 'start', 'serve'],
    waku: ['dev', 'start'],
    craco: ['start'],
    rspack: ['serve', 'dev', 's'],
    rspress: ['dev', 'preview'],
    expo: ['start'],
    stencil: ['--serve', 'serve'],
    ladle: ['serve', 'dev', 'preview'],
    hexo: ['server', 's'],
    fastify: ['start'],
    keystone: ['dev', 'start'],
    payload: ['dev'],
    medusa: ['develop', 'start'],
    directus: ['start'],
    'browser-sync': ['start', '-s', '--server'],
    esbuild: ['--serve'],
    hugo: ['server', 'serve'],
    jekyll: ['serve', 'server', 's'],
    flask: ['run'],
    fastapi: ['dev', 'run'],
    'manage.py': ['runserver'],
    rails: ['server', 's'],
    artisan: ['serve'],
    symfony: ['serve', 'server:start'],
    mix: ['phx.server'],
    nest: ['start'],
    php: ['-S'],
    caddy: ['run'],
    eleventy: ['--serve'],
  }),
)

/** Programs whose first argument may be a folder: all but these subcommands serve. */
const othersOf: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({ vite: ['build', 'optimize'], parcel: ['build', 'watch'], serve: [] }),
)

/** Returns whether a shell line starts a server: it uses `$PORT`, or runs a program that is known for it. */
export function isServer(line: string): boolean {
  return /\$(?:PORT\b|\{PORT[}:])/.test(line) || commandsOf(line).some(serves)
}

function serves({ program, args }: SimpleCommand): boolean {
  const others = othersOf.get(program)
  if (others !== undefined) return !others.some(other => args.includes(other))
  return alwaysServe.has(program) || servers.get(program)?.some(word => args.includes(word)) === true
}

/** Servers whose pages are for a browser: development servers of front ends. */
const pageServers = new Set([
  ...['vite', 'next', 'nuxt', 'nuxi', 'astro', 'remix', 'react-router', 'rsbuild', 'ng', 'ember', 'vue-cli-service'],
  ...[
    'react-scripts',
    'webpack',
    'webpack-dev-server',
    'parcel',
    'gatsby',
    'docusaurus',
    'vitepress',
    'eleventy',
    'craco',
  ],
  ...[
    'rspack',
    'vinxi',
    'svelte-kit',
    'live-server',
    'waku',
    'modern',
    'quasar',
    'ionic',
    'stencil',
    'vuepress',
    'vike',
  ],
])

/** Returns whether a shell line starts a development server of a front end. */
export function isPageServer(line: string): boolean {
  return commandsOf(line).some(one => pageServers.has(one.program) && (serves(one) || one.args.length === 0))
}

/** Returns whether a shell line starts locald: as a service it would wait for itself. */
export function isLocald(line: string): boolean {
  return commandsOf(line).some(({ program }) => program === 'locald')
}

/** Programs that never serve. */
const alwaysBuild = new Set([
  ...['tsc', 'vue-tsc', 'tsgo', 'babel', 'swc', 'sass', 'postcss', 'tailwindcss', 'microbundle', 'unbuild', 'pkgroll'],
  ...['svelte-package', 'ncc', 'api-extractor', 'preconstruct', 'bunchee', 'graphql-codegen'],
  ...['rm', 'mkdir', 'cp', 'echo', 'rimraf', 'cpx', 'del-cli', 'copyfiles', 'shx'],
])

/** Programs that build, unless their arguments match. */
const buildUnless: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    tsup: /onSuccess/i,
    tsdown: /on-?success/i,
    rollup: /serve/,
    esbuild: /--serve/,
    stencil: /--serve|\bserve\b/,
    webpack: /\bserve\b/,
    vite: /^(?!.*\bbuild\b)/,
    parcel: /^(?!.*\b(?:build|watch)\b)/,
    ng: /^(?!.*\bbuild\b)/,
  }),
)

/** Returns whether a shell line does nothing but build, such as `tsc --watch`. */
export function isBuild(line: string): boolean {
  const commands = commandsOf(line)
  return commands.length > 0 && commands.every(builds) && !isServer(line)
}

function builds({ program, args }: SimpleCommand): boolean {
  return alwaysBuild.has(program) || buildUnless.get(program)?.test(args.join(' ')) === false
}
