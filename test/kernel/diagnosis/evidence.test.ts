import t from 'tap'
import { type Evidence, readEvidence } from '../../../kernel/diagnosis/evidence.ts'

const place = { root: '/w/shop', dir: '/w/shop' }

/** Outputs, and what is read from each. */
const outputs: readonly [string, Partial<Evidence>][] = [
  [
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'fastify' imported from /w/shop/api/server.js",
    { module: 'fastify' },
  ],
  ["Error: Cannot find module '/w/shop/api/serve.js'", { module: undefined, missing: ['api/serve.js'] }],
  ["ModuleNotFoundError: No module named 'flask'", { module: 'flask' }],
  ['[vite] Failed to resolve import "lit-html" from "web/main.ts"', { module: 'lit-html' }],
  ['sh: 1: vite: not found', { command: 'vite' }],
  ['zsh: command not found: pnpm', { command: 'pnpm' }],
  ['Error: listen EADDRINUSE: address already in use 127.0.0.1:4000', { port: 4000 }],
  ['OSError: [Errno 98] Address already in use: port 4000 is already in use', { port: 4000 }],
  ['port 4000 of shop:api is in use by node (pid 12)', { port: 4000 }],
  ['Error: connect ECONNREFUSED 127.0.0.1:6379', { refused: { host: '127.0.0.1', port: 6379 } }],
  ['Error: connect ECONNREFUSED ::1:5432', { refused: { host: '::1', port: 5432 } }],
  ['dial tcp 127.0.0.1:5432: connect: connection refused', { refused: { host: '127.0.0.1', port: 5432 } }],
  [
    'connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused',
    { refused: { host: '127.0.0.1', port: 5432 } },
  ],
  ['Error: getaddrinfo ENOTFOUND db.internal', { unknownHost: 'db.internal' }],
  ["Error: ENOENT: no such file or directory, open '/w/shop/.env'", { missing: ['.env'] }],
  ["FileNotFoundError: [Errno 2] No such file or directory: 'data/x.json'", { missing: ['data/x.json'] }],
  ['node: .env: not found', { missing: ['.env'] }],
  ["Error: EACCES: permission denied, open '/w/shop/api/key.pem'", { denied: ['api/key.pem'] }],
  ['sh: 1: ./start.sh: Permission denied', { denied: ['start.sh'] }],
  ["Error: ENOENT: no such file or directory, open '/etc/passwd2'", { missing: [] }],
  ['error: relation "orders" does not exist', { table: 'orders' }],
  ['sqlite3.OperationalError: no such table: prices', { table: 'prices' }],
  ['The table `public.Order` does not exist in the current database.', { table: 'public.Order' }],
  ["KeyError: 'SESSION_KEY'", { variables: ['SESSION_KEY'] }],
  ['Error: SESSION_KEY is not set', { variables: ['SESSION_KEY'] }],
  ['Missing required environment variable: SESSION_KEY', { variables: ['SESSION_KEY'] }],
  ['sh: 1: SESSION_KEY: parameter not set', { variables: ['SESSION_KEY'] }],
  ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', { isOutOfMemory: true }],
  ['was compiled against a different Node.js version using NODE_MODULE_VERSION 108', { isOtherVersion: true }],
  ['listening on port 4000', { port: undefined, variables: [], missing: [], denied: [], files: [] }],
]

for (const [line, expected] of outputs)
  t.test(line, async t => void t.match(readEvidence(['> shop@1.0.0 start', line], null, place), expected))

t.test('lists the files of the project, the place of the error first', async t => {
  const { files, isSyntax } = readEvidence(
    [
      'file:///w/shop/api/catalogue.js:10',
      '    at load (/w/shop/node_modules/fastify/lib/a.js:3:1)',
      '    at Object.<anonymous> (/w/shop/api/server.js:2:1)',
      '    at node:internal/modules/esm/loader:497:12',
      'SyntaxError: Unexpected end of input',
      '  File "stock/server.py", line 3',
      '/home/ann/other.js:1',
    ],
    null,
    place,
  )
  t.strictSame(files, [
    { path: 'api/catalogue.js', line: 10 },
    { path: 'api/server.js', line: 2 },
    { path: 'stock/server.py', line: 3 },
  ])
  t.equal(isSyntax, true)
})

t.test('reads long lines and much output in bounded time', async t => {
  const began = performance.now()
  const line = `${'A_'.repeat(50_000)}/${'../'.repeat(10_000)}.js:${'1'.repeat(1000)}`
  t.ok(
    readEvidence(
      Array.from({ length: 300 }, () => line),
      null,
      place,
    ),
  )
  t.ok(
    readEvidence(
      Array.from({ length: 300 }, (_, index) => `missing ${'(/a'.repeat(300)} ${index}`),
      null,
      place,
    ),
  )
  t.ok(performance.now() - began < 2000, `${performance.now() - began} ms`)
})
