import t from 'tap'
import { type Cause, causeOf } from '../../../../kernel/services/failure/cause.ts'
import { withoutNoise } from '../../../../kernel/services/failure/output-noise.ts'

interface Case {
  readonly of: string
  readonly output: string
  readonly code?: number | null
  readonly runs?: boolean
  readonly cause: Cause | undefined
}

/** Outputs as the programs print them (Node 20, npm 10, Python 3.11, Go 1.24, rustc, tsx 4, Vite 5, dash, bash). */
const cases: readonly Case[] = [
  {
    of: 'npm run, a command that is not installed',
    output: '\n> shop@1.0.0 dev\n> vite\n\nsh: 1: vite: not found\n⠙',
    code: 127,
    cause: { text: 'command not found: vite', command: 'vite' },
  },
  {
    of: 'bash',
    output: 'bash: line 1: nodee: command not found',
    code: 127,
    cause: { text: 'command not found: nodee', command: 'nodee' },
  },
  {
    of: 'zsh as /bin/sh on macOS',
    output: '/bin/sh:1: command not found: nodee',
    code: 127,
    cause: { text: 'command not found: nodee', command: 'nodee' },
  },
  {
    of: 'env',
    output: 'env: ‘node18’: No such file or directory',
    code: 127,
    cause: { text: 'command not found: node18', command: 'node18' },
  },
  {
    of: 'a script without the right to be run',
    output: 'sh: 1: ./server.sh: Permission denied',
    code: 126,
    cause: { text: 'not executable: ./server.sh (run `chmod +x ./server.sh`, or name its interpreter)' },
  },
  {
    of: 'node, a syntax error',
    output: `/shop/api/server.js:3\n\n\n\nSyntaxError: Unexpected end of input\n    at wrapSafe (node:internal/modules/cjs/loader:1464:18)\n\nNode.js v20.20.2`,
    cause: { text: 'SyntaxError: Unexpected end of input (server.js:3)' },
  },
  {
    of: 'node under npm, an exception',
    output: `> shop@1.0.0 bad\n> node server.js\n\n/shop/api/server.js:2\n  throw new Error("DATABASE_URL is not set")\n  ^\n\nError: DATABASE_URL is not set\n    at start (/shop/api/server.js:2:9)\n    at Object.<anonymous> (/shop/api/server.js:4:1)\n    at Module._compile (node:internal/modules/cjs/loader:1521:14)\n\nNode.js v20.20.2\nnpm error Lifecycle script \`bad\` failed with error:\nnpm error code 1`,
    cause: { text: 'Error: DATABASE_URL is not set (server.js:2)' },
  },
  {
    of: 'node, a missing package (CommonJS)',
    output: `node:internal/modules/cjs/loader:1210\n  throw err;\n  ^\n\nError: Cannot find module 'express'\nRequire stack:\n- /shop/api/cjs.js\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)\n    at Object.<anonymous> (/shop/api/cjs.js:1:1)`,
    cause: { text: "Error: Cannot find module 'express' (cjs.js:1)", module: 'express' },
  },
  {
    of: 'node, a missing package (ES module)',
    output: `node:internal/modules/esm/resolve:873\n  throw new ERR_MODULE_NOT_FOUND(packageName, fileURLToPath(base), null);\n        ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /shop/api/esm.mjs\n    at packageResolve (node:internal/modules/esm/resolve:873:9)`,
    cause: {
      text: "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from esm.mjs",
      module: 'express',
    },
  },
  {
    of: 'node, a port in use',
    output: `node:events:502\n      throw er; // Unhandled 'error' event\n      ^\n\nError: listen EADDRINUSE: address already in use :::3999\n    at Server.setupListenHandle [as _listen2] (node:net:1908:16)`,
    cause: { text: 'Error: listen EADDRINUSE: address already in use :::3999', port: 3999 },
  },
  {
    of: 'tsx watch, which lives on, a port in use',
    output: 'Error: listen EADDRINUSE: address already in use 127.0.0.1:3000\n    at node:net:1908:16',
    runs: true,
    cause: { text: 'Error: listen EADDRINUSE: address already in use 127.0.0.1:3000', port: 3000 },
  },
  {
    of: 'Vite, a port in use',
    output:
      '⠙⠹error when starting dev server:\nError: Port 5999 is already in use\n    at Server.onError (file:///x.js:4:18)',
    cause: { text: 'Error: Port 5999 is already in use', port: 5999 },
  },
  {
    of: 'Go, a port in use',
    output: '2026/11/29 17:02:01 listen tcp :5998: bind: address already in use\nexit status 1',
    cause: { text: '2026/11/29 17:02:01 listen tcp :5998: bind: address already in use', port: 5998 },
  },
  {
    of: 'Python, a port in use',
    output:
      'Traceback (most recent call last):\n  File "/shop/api/addr.py", line 3, in <module>\n    serve()\nOSError: [Errno 98] Address already in use',
    cause: { text: 'OSError: [Errno 98] Address already in use' },
  },
  {
    of: 'tsx, a syntax error',
    output: `node:internal/modules/run_main:123\n    triggerUncaughtException(\n    ^\n\nError: Transform failed with 1 error:\n/shop/api/server.ts:3:0: ERROR: Unexpected end of file\n    at failureErrorWithLog (/shop/api/node_modules/esbuild/lib/main.js:1752:15)`,
    cause: { text: 'server.ts:3:0: ERROR: Unexpected end of file' },
  },
  {
    of: 'tsx, an exception',
    output: `/shop/api/run.ts:2\nthrow new Error("boom " + a)\n      ^\n\n\nError: boom 1\n    at <anonymous> (/shop/api/run.ts:2:7)`,
    cause: { text: 'Error: boom 1 (run.ts:2)' },
  },
  {
    of: 'Vite, an error in its configuration',
    output: `✘ [ERROR] Unexpected end of file\n\n    vite.config.js:3:0:\n      3 │ \n        ╵ ^\n\nfailed to load config from /shop/api/vite.config.js\nerror when starting dev server:\nError: Build failed with 1 error:`,
    cause: { text: '✘ [ERROR] Unexpected end of file (vite.config.js:3)' },
  },
  {
    of: 'Python, an exception',
    output: `Traceback (most recent call last):\n  File "/shop/api/trace.py", line 3, in <module>\n    f()\n  File "/shop/api/trace.py", line 2, in f\n    return int("x")\n           ^^^^^^^^\nValueError: invalid literal for int() with base 10: 'x'`,
    cause: { text: "ValueError: invalid literal for int() with base 10: 'x' (trace.py:2)" },
  },
  {
    of: 'Python, a syntax error',
    output: '  File "/shop/api/syn.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax',
    cause: { text: 'SyntaxError: invalid syntax (syn.py:1)' },
  },
  {
    of: 'Python, a missing package',
    output: `Traceback (most recent call last):\n  File "/shop/api/mod.py", line 1, in <module>\n    import flask\nModuleNotFoundError: No module named 'flask'`,
    cause: { text: "ModuleNotFoundError: No module named 'flask' (mod.py:1)", pythonModule: 'flask' },
  },
  {
    of: 'Go, an error of the compiler',
    output: '# x\n./main.go:3:2: undefined: foo',
    cause: { text: './main.go:3:2: undefined: foo' },
  },
  {
    of: 'Go, a panic',
    output:
      'panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/shop/api/main.go:4 +0x28\nexit status 2',
    code: 2,
    cause: { text: 'panic: assignment to entry in nil map (main.go:4)' },
  },
  {
    of: 'Ruby',
    output: "boot\napp.rb:3:in 'foo': undefined method 'x' (NoMethodError)\n\tfrom app.rb:5:in '<main>'",
    cause: { text: "app.rb:3:in 'foo': undefined method 'x' (NoMethodError)" },
  },
  {
    of: 'Java',
    output:
      'Exception in thread "main" java.lang.IllegalStateException: no db\n\tat shop.Main.main(Main.java:5)\nCaused by: java.net.ConnectException: refused\n\tat shop.Db.open(Db.java:9)\n\t... 1 more',
    cause: { text: 'java.net.ConnectException: refused (Db.java:9)' },
  },
  {
    of: 'rustc',
    output: 'error[E0425]: cannot find function `foo` in this scope\n --> m.rs:1:12\n  |',
    cause: { text: 'error[E0425]: cannot find function `foo` in this scope (m.rs:1)' },
  },
  {
    of: 'npm itself',
    output:
      'npm error Missing script: "nope"\nnpm error\nnpm error To see a list of scripts, run:\nnpm error   npm run\nnpm error A complete log of this run can be found in: /root/x.log',
    cause: { text: 'Missing script: "nope"' },
  },
  { of: 'a script', output: 'starting\nDB_URL is not set', cause: { text: 'DB_URL is not set' } },
  {
    of: 'a question',
    output: 'Welcome\n? Would you like to share pseudonymous usage data? (y/N) ',
    runs: true,
    cause: { text: 'the last output is a question: ? Would you like to share pseudonymous usage data? (y/N)' },
  },
  { of: 'a service that runs and prints', output: 'listening on 3000\nerror rate: 0', runs: true, cause: undefined },
  { of: 'control characters', output: 'Error: a\u0007b\u0008c', cause: { text: 'Error: abc' } },
  { of: 'nothing', output: '', cause: undefined },
  { of: 'a long line', output: `Error: ${'x'.repeat(5000)}`, cause: { text: `Error: ${'x'.repeat(192)}…` } },
]

t.test('finds the cause in the output', t => {
  for (const { of, output, code = 1, runs = false, cause } of cases) {
    const found = causeOf({ lines: output.split('\n'), code: runs ? null : code, runs, dir: '/shop/api' })
    t.strictSame(found, cause, of)
  }
  t.end()
})

t.test('skips output of package managers and spinners', t => {
  const lines = ['', '> shop@1.0.0 dev', '> node server.js', '', 'first\rsecond', '⠙⠹third', 'npm error code 1']
  t.strictSame(withoutNoise(lines), ['second', 'third'])
  t.strictSame(withoutNoise(['npm error code ENOENT', 'npm error enoent Could not read package.json: Error']), [
    'Could not read package.json: Error',
  ])
  t.end()
})

t.test('handles lines of any length quickly', t => {
  const long = (part: string) => part.repeat(1_000_000 / part.length)
  const hostile = [`${long('\r')}x`, `> ${long('@')}`, long('(y'), long('password '), `Error: x\n   at ${long('a')}`]
  for (const output of hostile) {
    const begun = performance.now()
    causeOf({ lines: output.split('\n'), code: 1, runs: false, dir: '/shop/api' })
    causeOf({ lines: output.split('\n'), code: null, runs: true, dir: '/shop/api' })
    t.ok(performance.now() - begun < 2000, output.slice(0, 20))
  }
  t.end()
})
