/** Ten and more ways to break the API of the shop, and what `locald why api` is expected to name first. */
import { appendFileSync, chmodSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Sandbox } from '../lib/sandbox.ts'

/** The copy of the shop that is broken. */
export interface BrokenShop {
  readonly sandbox: Sandbox
  readonly folder: string
  /** Runs a shell command in the project, as its user, with `locald` and `git`. Throws unless it exits with 0. */
  sh(command: string): Promise<string>
}

/** One way to break the API. */
export interface Breakage {
  readonly title: string
  /** Files that the project has beside the example's, when the API is still healthy. */
  readonly files?: Readonly<Record<string, string>>
  /** Prepended to the API's code. */
  readonly code?: string
  /** Whether the shop has packages of its own; others share a folder of them by a link. */
  readonly breaksPackages?: true
  readonly prepare?: (shop: BrokenShop) => Promise<unknown>
  readonly break: (shop: BrokenShop) => unknown
  /** The services that are restarted then; default: the API. */
  readonly restarted?: readonly string[]
  /** More environment for that restart. */
  readonly env?: (shop: BrokenShop) => Readonly<Record<string, string>>
  /** The first fact, and its command. */
  readonly text: RegExp
  readonly command: RegExp
  /** `undo`: after the command the API is healthy again. `show`: it exits with 0. `none`: it needs a registry. */
  readonly does: 'undo' | 'show' | 'none'
}

/** Replaces text of a file, at once, as editors do. */
function edit({ sandbox, folder }: BrokenShop, file: string, from: string, to: string): void {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no '${from}'`)
  sandbox.write(`${path}.new`, text.replace(from, to))
  renameSync(`${path}.new`, path)
}

/** Returns a port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise(closed => server.close(closed))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const requirePayment = "if (!process.env.PAYMENT_KEY) throw new Error('PAYMENT_KEY is not set')"
/** A value that must not be recorded. */
export const secret = 'sk-8c1f0d2e77aa'
const payment = {
  '.env': `PAYMENT_KEY=${secret}\n`,
  '.env.example': 'PAYMENT_KEY=\n',
  '.gitignore': 'node_modules\n.env\n',
}

export const breakages: readonly Breakage[] = [
  {
    title: 'a package is removed',
    breaksPackages: true,
    break: ({ folder }) => rmSync(join(folder, 'node_modules', 'fastify'), { recursive: true }),
    text: /^fastify is in package\.json, and not in node_modules$/,
    command: /^npm ci$/,
    does: 'none',
  },
  {
    title: 'a pulled commit needs a newer package than the installed one',
    breaksPackages: true,
    async break(shop) {
      edit(
        shop,
        'package-lock.json',
        '"node_modules/fastify": {\n      "version": "5',
        '"node_modules/fastify": {\n      "version": "6',
      )
      edit(shop, 'api/server.js', 'const app = fastify()', 'const app = fastify()\napp.addSchemas()')
      await shop.sh('git commit -qam "Use the schemas of fastify 6"')
    },
    text: /^package-lock\.json is newer than node_modules \(.*\): fastify is 5\.\S+, not 6\./,
    command: /^npm ci$/,
    does: 'none',
  },
  {
    title: 'a variable is removed from .env',
    files: payment,
    code: requirePayment,
    break: shop => edit(shop, '.env', `PAYMENT_KEY=${secret}\n`, ''),
    text: /^PAYMENT_KEY was removed from \.env$/,
    command: /^grep -n PAYMENT_KEY \.env\.example$/,
    does: 'show',
  },
  {
    title: '.env is deleted',
    files: { ...payment, '.env.example': 'PAYMENT_KEY=k2\n' },
    code: requirePayment,
    break: ({ folder }) => rmSync(join(folder, '.env')),
    text: /^\.env was deleted, which set PAYMENT_KEY$/,
    command: /^cp \.env\.example \.env$/,
    does: 'undo',
  },
  {
    title: 'a variable names a port on which nothing listens',
    files: { '.env': `RATES_URL=\${services.stock.url}\n`, '.gitignore': 'node_modules\n.env\n' },
    code: `await fetch(process.env.RATES_URL + '/stock')`,
    async break(shop) {
      edit(shop, '.env', `\${services.stock.url}`, `http://127.0.0.1:${await freePort()}`)
    },
    text: /^RATES_URL was changed in \.env, and the connection to 127\.0\.0\.1:\d+ is refused$/,
    command: /^grep -n RATES_URL \.env$/,
    does: 'show',
  },
  {
    title: 'an edit has a syntax error',
    break: shop => edit(shop, 'api/catalogue.js', 'catalogue = [', 'catalogue = [['),
    text: /^api\/catalogue\.js was edited at [\d:]+, not committed; the error is near line \d+$/,
    command: /^git diff -- api\/catalogue\.js$/,
    does: 'show',
  },
  {
    title: 'another program listens on its port',
    async prepare(shop) {
      edit(
        shop,
        'locald.toml',
        'command = "node api/server.js"',
        `command = "node api/server.js"\nport = ${await freePort()}`,
      )
    },
    async break(shop) {
      await shop.sh('locald stop api')
      const [, port = ''] = /^port = (\d+)/m.exec(readFileSync(join(shop.folder, 'locald.toml'), 'utf8')) ?? []
      const server = shop.sandbox.spawn(['python3', '-u', '-m', 'http.server', port, '--bind', '127.0.0.1'])
      await server.prints(/Serving/)
    },
    text: /^port \d+ is in use by python3\S* \(pid \d+\)$/,
    command: /^kill \d+$/,
    does: 'undo',
  },
  {
    title: 'a commit breaks the code',
    async break(shop) {
      edit(shop, 'api/orders.js', 'export class Orders', 'EventEmitter.enable()\nexport class Orders')
      await shop.sh('git commit -qam "Count orders"')
    },
    text: /^api\/orders\.js was changed by commit [0-9a-f]{7,}, "Count orders"$/,
    command: /^git show [0-9a-f]{7,} -- api\/orders\.js$/,
    does: 'show',
  },
  {
    title: 'the database is wiped',
    files: {
      'api/migrate.py':
        "import sqlite3\nsqlite3.connect('prices.db').execute('create table if not exists prices (id)')\n",
      'api/prices.py': "import sqlite3\nsqlite3.connect('prices.db').execute('select * from prices')\n",
      '.gitignore': 'node_modules\nprices.db\n',
    },
    code: "(await import('node:child_process')).execFileSync('python3', ['api/prices.py'], { stdio: 'inherit' })",
    async prepare(shop) {
      edit(shop, 'package.json', '"dev": "vite"', '"dev": "vite",\n    "migrate": "python3 api/migrate.py"')
      await shop.sh('python3 api/migrate.py')
    },
    break: ({ folder }) => rmSync(join(folder, 'prices.db')),
    text: /^the database has no prices: a migration has not run, or its data was removed$/,
    command: /^locald run api -- npm run migrate$/,
    does: 'undo',
  },
  {
    title: 'its command is changed in locald.toml',
    break: shop => edit(shop, 'locald.toml', 'node api/server.js', 'node api/serve.js'),
    text: /^`command` was changed in locald\.toml:\d+ from `node api\/server\.js` to `node api\/serve\.js`$/,
    command: /^git diff -- locald\.toml$/,
    does: 'show',
  },
  {
    title: 'another version of Node is first in PATH',
    files: { '.nvmrc': `${process.versions.node.split('.')[0]}\n` },
    break({ sandbox, folder }) {
      const said = "SyntaxError: The requested module 'node:events' does not provide an export named 'once'"
      const text = `#!/bin/sh\n[ "$1" = --version ] && echo v14.21.3 && exit\necho "${said}" >&2\nexit 1\n`
      sandbox.write(join(folder, '..', 'old', 'node'), text, 0o755)
    },
    env: ({ sandbox, folder }) => ({ PATH: `${join(folder, '..', 'old')}:${sandbox.env['PATH']}` }),
    text: /^node is v14\.21\.3; it was v\d+\.\d+\.\d+; \.nvmrc requires \d+$/,
    command: /^locald run api -- node --version$/,
    does: 'show',
  },
  {
    title: 'a file is not readable',
    break: ({ folder }) => chmodSync(join(folder, 'api', 'catalogue.js'), 0),
    text: /^api\/catalogue\.js is not readable \(mode 000\)$/,
    command: /^chmod u\+r api\/catalogue\.js$/,
    does: 'undo',
  },
  {
    title: 'a file is deleted',
    break: ({ folder }) => rmSync(join(folder, 'api', 'orders.js')),
    text: /^api\/orders\.js was deleted$/,
    command: /^git checkout HEAD -- api\/orders\.js$/,
    does: 'undo',
  },
  {
    title: 'a dependency fails',
    restarted: ['stock', 'api'],
    break: ({ folder }) => appendFileSync(join(folder, 'stock', 'server.py'), '\ndef (:\n'),
    text: /^stock: stock\/server\.py was edited at [\d:]+, not committed; the error is near line \d+$/,
    command: /^git diff -- stock\/server\.py$/,
    does: 'show',
  },
]
