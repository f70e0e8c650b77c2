/** Every program that is run has a deadline, so that one which hangs does not hang locald. */
import t from 'tap'
import { code, sourcesOf } from '../lib/sources.ts'

/** Calls without a `timeout` of Node's, by file and first argument, and what stops the program instead. */
const otherwise: Readonly<Record<string, string>> = {
  'kernel/services/health/probes.ts /bin/sh': "a timer kills its group after the check's timeout",
  'cli/admin/keychain.ts program': 'a timer kills it: a person may have to answer a dialog',
  'cli/daemon/run-program.ts program': 'a timer kills it, and waits for nothing that it leaves running',
  'cli/daemon/start.ts program': 'the daemon; killed where it does not listen in time',
  'cli/commands/run.ts program': "the user's own command, which may run as long as it likes",
  'cli/expect/command.ts program': 'stopped after `--within`',
  'cli/mcp/tools/run.ts program': 'a timer kills its group',
  'cli/commands/admin.ts sudo': 'asks a person for a password, and has the terminal',
  'cli/commands/plugins-install.ts npm': 'downloads, with timeouts of its own and messages on the terminal',
  'cli/commands/doctor.ts program': 'a fix that the user asked for; it may ask something on the terminal',
  'cli/output/browser.ts program': 'a browser, which is left alone',
  'plugins/postgres/server/helper-process.ts program':
    'a cluster takes as long as the disk; a server in setup is killed after its shutdown',
  'plugins/postgres/files/clone.ts cp': 'takes as long as the data, until its signal aborts',
  'plugins/postgres/cluster/upgrade.ts dump': 'takes as long as the data',
  'plugins/postgres/cluster/upgrade.ts psql': 'takes as long as the data',
  'plugins/privileges/run.ts path': 'a timer kills it',
  'plugins/lib/child.ts /bin/sh':
    'follows events or a log, or transfers an image, until its caller stops it or locald exits',
  'plugins/site/server/builds.ts /bin/sh': "the user's own build; stopping the service stops it",
  'plugins/container-lima/implementation.ts program':
    'stops the VM when the daemon stops; limactl has limits of its own',
  'plugins/container-lima/limactl.ts program': 'a timer kills its group',
  'plugins/exec-runtime/keeper-starter.ts this.#keeper': 'runs as long as the daemon, and exits with it',
}

/** Synchronous calls stop the whole daemon, all projects: none in what it runs, but these. */
const synchronous: Readonly<Record<string, string>> = {
  'kernel/system/native.ts process.execPath': 'compiles the keeper, in the CLI, before there is a daemon',
  'kernel/system/daemon/locks.ts this.#keeper':
    'a lock that is lost must be had again before anything else; it answers at once',
}

interface Call {
  readonly key: string
  readonly isSynchronous: boolean
  readonly hasTimeout: boolean
}

/** The calls that run a program, by text: names that no other function here has. */
function callsIn(file: string, source: string): readonly Call[] {
  const text = code(source)
  // A method of that name is declared with types. The plugins run programs by one function, which takes a deadline.
  const call = /(?<![\w.#]|async )(?:(?:spawn|exec|execFile|fork)(Sync)?|execa)\((?!\w+: )/g
  const own = file.startsWith('cli/') ? [] : [...text.matchAll(/(?<!function )\brunProgram\(/g)]
  return [...text.matchAll(call), ...own].map(match => {
    const args = argumentsAt(text, match.index + match[0].length)
    const named = /\boptions\b/.test(args) && /const options = \{[^}]*\btimeout\b/.test(text)
    const first = /^\s*([^,)]*)/.exec(args)?.[1]?.trim() ?? ''
    return {
      key: `${file} ${first.replace(/^'(.*)'$/, '$1')}`,
      isSynchronous: match[1] !== undefined,
      hasTimeout: /\btimeout(?:Ms)?\b/.test(args) || named,
    }
  })
}

/** Up to the parenthesis that closes a call. */
function argumentsAt(text: string, from: number): string {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return text.slice(from, at)
  }
  return text.slice(from)
}

const calls = ['kernel', 'cli', 'plugins'].flatMap(room =>
  sourcesOf(room).flatMap(({ file, text }) => callsIn(file, text)),
)

t.test('each program has a deadline or a listed reason', async t => {
  t.ok(calls.length > 20, `${calls.length} calls were found`)
  for (const { key, hasTimeout } of calls) t.ok(hasTimeout || Object.hasOwn(otherwise, key), key)
  const without = new Set(calls.filter(({ hasTimeout }) => !hasTimeout).map(({ key }) => key))
  for (const key of Object.keys(otherwise)) t.ok(without.has(key), `${key} is still needed`)
})

t.test('the daemon runs no program synchronously', async t => {
  const found = calls.filter(({ key, isSynchronous }) => isSynchronous && !key.startsWith('cli/'))
  for (const { key } of found) t.ok(Object.hasOwn(synchronous, key), key)
  for (const key of Object.keys(synchronous))
    t.ok(
      found.some(call => call.key === key),
      `${key} is still needed`,
    )
})

t.test('a call without a deadline is found', async t => {
  t.match(callsIn('a.ts', "spawnSync('ps', ['-a'], { stdio: x(1) })\nfoo.exec(text)"), [
    { key: 'a.ts ps', isSynchronous: true, hasTimeout: false },
  ])
  t.match(callsIn('a.ts', 'await execa(program, f(a), { timeout: 5 })'), [{ key: 'a.ts program', hasTimeout: true }])
})
