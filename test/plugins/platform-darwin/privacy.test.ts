import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import t, { type Test } from 'tap'
import { loadProject } from '../../../kernel/config/load.ts'
import { setDenials } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { problemOf } from '../../../kernel/operations/watch/watch-problems.ts'
import { causeOf } from '../../../kernel/services/failure/cause.ts'
import { startError } from '../../../plugins/exec-runtime/start-error.ts'
import { explainDenial } from '../../../plugins/platform-darwin/privacy.ts'

setDenials(explainDenial)

const shop = '/Users/ann/Documents/code/shop'
const hint = /locald server restart.*Privacy & Security › Files and Folders/

/**
 * As TCC denies it to a program whose user was not asked, or said no: stat(2) of what is there works, open(2) is EPERM
 * (herdr issue 390, orca issue 20007).
 */
function denied(t: Test): void {
  const { open, lstat, stat } = files
  const there = lstat('/etc/hosts')
  files.lstat = Object.assign(() => there, lstat)
  files.stat = Object.assign(() => there, stat)
  files.open = () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted, open'), { code: 'EPERM' }))
  syncBuiltinESMExports()
  t.teardown(() => {
    Object.assign(files, { open, lstat, stat })
    syncBuiltinESMExports()
  })
}

t.test('recognizes the folders that macOS protects', async t => {
  for (const path of [
    shop,
    '/Users/ann/Desktop',
    '/Users/ann/Downloads/x',
    '/Users/ann/Library/Mobile Documents/com~apple~CloudDocs/x',
    '/Users/ann/Library/CloudStorage/Dropbox/x',
    '/Volumes/Work/x',
  ])
    t.match(explainDenial(path, 'EPERM'), { message: /^macOS keeps the daemon from \S/, hint }, path)
  const ofJob = explainDenial(shop, 'EPERM', 'dev.locald.run.1')
  t.match(ofJob, { hint: /^Allow it in System Settings/, brief: /^allow it for \// })
  t.notMatch(ofJob?.hint, 'server restart', 'no terminal helps a job of launchd')
  for (const path of ['/Users/ann/code', '/Users/ann/Documents2/x', '/home/ann/Documents/x', '/Users/Documents/x'])
    t.equal(explainDenial(path, 'EPERM'), undefined, path)
  t.equal(explainDenial(shop, 'EACCES'), undefined, 'a mode that forbids it is another thing')
})

t.test('reports a configuration in a protected folder', async t => {
  denied(t)
  const types = {
    sources: [],
    find: () => new LocaldError('SERVICE_TYPE_UNSUPPORTED', 'none'),
    names: [],
    defaultType: 'x',
  }
  const places = { configDir: '/none', home: '/Users/ann', data: '/none' }
  await t.rejects(loadProject(shop, types, places), {
    code: 'CONFIG_UNREADABLE',
    message: /locald\.toml: macOS keeps the daemon from the Documents folder/,
    hint,
  })
})

t.test('reports a protected folder that cannot be watched', async t => {
  t.match(problemOf('EPERM', shop, 0, new Error('x')), { message: /macOS keeps the daemon from/, hint })
  t.match(problemOf('EPERM', '/srv/shop', 0, new Error('x')), { hint: /ls -ld/ })
})

t.test('reports a service that fails to start in a protected folder', async t => {
  const spec = {
    ...{ key: 'shop:web', argv: ['/bin/sh', '-c', 'x'] as const, dir: shop, env: {}, tty: false, port: undefined },
    ...{ stopSignal: 'SIGTERM', stopTimeout: 1000 },
    log: {
      ...{ file: '', maxBytes: 1, maxFiles: 1, write() {}, changed() {}, onFollowed: () => () => {} },
      ...{ append: () => true, lastEntry: async () => undefined },
    },
  }
  t.match(startError(spec, 'folder: Operation not permitted'), { code: 'SPAWN_FAILED', hint })
  const output = { code: 1, runs: false, dir: shop }
  const about = /^macOS keeps the daemon from the Documents folder/
  for (const line of [
    'Error: EPERM: operation not permitted, uv_cwd',
    'shell-init: error retrieving current directory: getcwd: cannot access parent directories: Operation not permitted',
    'fatal: Unable to read current working directory: Operation not permitted',
  ]) {
    t.match(causeOf({ ...output, lines: [line] }), { text: about }, line)
    t.notMatch(causeOf({ ...output, dir: '/srv/shop', lines: [line] })?.text, /macOS/)
  }
  for (const line of [
    `Error: EPERM: operation not permitted, open '${shop}/.env'`,
    `PermissionError: [Errno 1] Operation not permitted: '${shop}/.env'`,
    `open ${shop}/config.yml: operation not permitted`,
  ])
    t.match(causeOf({ ...output, dir: '/srv/shop', lines: [line] }), { text: about }, line)
  for (const line of [
    'Error: kill EPERM',
    `Error: EPERM: operation not permitted, chmod '${shop}/kill/x'`,
    "Error: EPERM: operation not permitted, open '/etc/x'",
    'Error: listen EPERM: operation not permitted 127.0.0.1:80',
  ])
    t.notMatch(causeOf({ ...output, lines: [line] })?.text, /macOS/, line)
  t.notMatch(causeOf({ ...output, lines: ['Error: no such table: a'] })?.text, /macOS/)
})
