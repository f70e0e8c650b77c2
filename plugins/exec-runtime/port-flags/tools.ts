/** A tool that ignores `$PORT`, and has a flag for it. */
export interface Tool {
  /** As users name it. */
  readonly name: string
  /** Names of its program, and of packages that a runner such as npx runs it by. */
  readonly programs: readonly string[]
  /** Its commands that serve, each of one or more words; `''`: without a command, too. Absent: it has no commands. */
  readonly commands?: readonly string[]
  /** Words anywhere in its arguments with which it does not serve. */
  readonly except?: readonly string[]
  /** A word that its arguments must have for it to serve. */
  readonly only?: string
  /** Flags with a value that may come before its command. */
  readonly globals?: readonly string[]
  /** What is appended to its command. */
  readonly adds: string
  /** Its flag for host names that it is to accept besides `*.localhost`. */
  readonly hosts?: string
  /** What is appended, too, where the service has a URL, unless its command has one of the flags. */
  readonly url?: { adds(url: URL): string; readonly written: readonly string[] }
  /** Its variables, set where nothing else sets them. */
  readonly env?: Readonly<Record<string, string>>
  /** More flags with which its command has a port or an address already, besides `--port` and `-p`. */
  readonly written?: readonly string[]
  /** Whether the port may be an argument without a flag. */
  readonly isPositional?: boolean
  /** Its own variable for the port: where that is set, nothing is added. */
  readonly variable?: string
}

const port = '--port $PORT'
const strict = '--port $PORT --strictPort'
/** Without the URL its client connects to $PORT, where no TLS is spoken, instead of the page's own address. */
const webpack = { adds: '--port $PORT --client-web-socket-url auto://0.0.0.0:0/ws', hosts: '--allowed-hosts' }

/** All that locald knows. docs/frameworks.md has the same table. */
export const tools: readonly Tool[] = [
  { name: 'Vite', programs: ['vite'], except: ['build', 'optimize'], adds: strict },
  { name: 'React Router', programs: ['react-router', '@react-router/dev'], commands: ['dev'], adds: strict },
  { name: 'Remix', programs: ['remix', '@remix-run/dev'], commands: ['vite:dev'], adds: strict },
  { name: 'Waku', programs: ['waku'], commands: ['dev', 'start'], adds: port },
  { name: 'VitePress', programs: ['vitepress'], commands: ['dev', 'preview', 'serve'], adds: port },
  { name: 'Astro', programs: ['astro'], commands: ['dev', 'preview'], adds: port },
  {
    ...{ name: 'Angular', programs: ['ng', '@angular/cli'], commands: ['serve', 'dev', 's'], adds: port },
    // A question about usage data would block it.
    env: { NG_CLI_ANALYTICS: 'false' },
  },
  { name: 'Expo', programs: ['expo'], commands: ['start'], adds: port },
  { name: 'Rsbuild', programs: ['rsbuild', '@rsbuild/core'], commands: ['dev', 'preview'], adds: port },
  { name: 'Rspress', programs: ['rspress', '@rspress/core'], commands: ['dev', 'preview'], adds: port },
  { name: 'Rspack', programs: ['rspack', '@rspack/cli'], commands: ['serve', 'dev', 's'], adds: port },
  { name: 'webpack', programs: ['webpack', 'webpack-cli'], commands: ['serve', 's'], ...webpack },
  { name: 'webpack-dev-server', programs: ['webpack-dev-server'], ...webpack },
  { name: 'Eleventy', programs: ['eleventy', '@11ty/eleventy'], only: '--serve', adds: port },
  { name: 'Hexo', programs: ['hexo'], commands: ['server', 's'], adds: port },
  {
    ...{ name: 'Slidev', programs: ['slidev', '@slidev/cli'], adds: port },
    except: ['build', 'export', 'export-notes', 'format', 'theme'],
  },
  { name: 'Docusaurus', programs: ['docusaurus'], commands: ['start', 'serve'], adds: '--port $PORT --no-open' },
  { name: 'Storybook', programs: ['storybook'], commands: ['dev'], adds: '-p $PORT --ci' },
  { name: 'Ladle', programs: ['ladle'], commands: ['serve', 'dev', 'preview'], adds: port },
  { name: 'VuePress', programs: ['vuepress'], commands: ['dev'], adds: port },
  { name: 'Vike', programs: ['vike'], commands: ['dev', 'preview'], adds: port },
  { name: 'Sanity', programs: ['sanity'], commands: ['dev', 'start', 'preview'], adds: port },
  { name: 'Quasar', programs: ['quasar', '@quasar/cli'], commands: ['dev', 'serve'], adds: port },
  { name: 'Gatsby', programs: ['gatsby'], commands: ['develop', 'serve'], adds: port },
  { name: 'Browsersync', programs: ['browser-sync'], commands: ['start'], adds: '--port $PORT --no-open' },
  { name: 'Stencil', programs: ['stencil'], only: '--serve', adds: '--port $PORT --no-open' },
  { name: 'Netlify', programs: ['netlify', 'ntl', 'netlify-cli'], commands: ['dev'], adds: port },
  { name: 'Wrangler', programs: ['wrangler'], commands: ['dev', 'pages dev'], adds: port },
  {
    ...{ name: 'Flask', programs: ['flask'], commands: ['run'], adds: port, variable: 'FLASK_RUN_PORT' },
    globals: ['--app', '-A', '--env-file', '-e'],
  },
  {
    ...{ name: 'Django', programs: ['manage.py', 'django-admin', 'django'], commands: ['runserver'] },
    ...{ adds: '127.0.0.1:$PORT', isPositional: true },
  },
  {
    ...{ name: 'Uvicorn', programs: ['uvicorn'], adds: port, variable: 'UVICORN_PORT' },
    written: ['--fd', '--uds'],
  },
  { name: 'FastAPI', programs: ['fastapi'], commands: ['dev', 'run'], adds: port },
  {
    ...{ name: 'Hypercorn', programs: ['hypercorn'], adds: '--bind 127.0.0.1:$PORT' },
    written: ['-b', '--bind', '--quic-bind', '--insecure-bind', '-c', '--config'],
  },
  {
    ...{ name: 'Streamlit', programs: ['streamlit'], commands: ['run'], variable: 'STREAMLIT_SERVER_PORT' },
    // Without the second one it asks for an e-mail address.
    ...{ adds: '--server.port $PORT --server.headless true', written: ['--server.port', '--server.headless'] },
  },
  {
    ...{ name: 'MkDocs', programs: ['mkdocs'], commands: ['serve'], adds: '--dev-addr 127.0.0.1:$PORT' },
    written: ['-a', '--dev-addr'],
  },
  { name: 'http.server', programs: ['http.server'], adds: '$PORT', isPositional: true },
  {
    ...{ name: 'Hugo', programs: ['hugo'], commands: ['server', 'serve'], adds: port },
    // Otherwise its links and its client lead to $PORT, where no TLS is spoken.
    url: {
      adds: url => `--baseURL "$LOCALD_URL" --appendPort=false --liveReloadPort ${portOf(url)}`,
      written: ['-b', '--baseURL', '--appendPort', '--liveReloadPort'],
    },
  },
]

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port
}
