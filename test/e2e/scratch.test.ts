import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { processList } from '../lib/process-list.ts'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { onHost } from './suite.ts'

const server = `import { createServer } from 'node:http'
createServer((_, response) => response.end(process.env.GREETING ?? 'hello')).listen(process.argv[2], '127.0.0.1')
`

/** The scratch projects on disk, and the projects that the daemon knows. */
async function remains(sandbox: Sandbox): Promise<readonly string[]> {
  const { projects }: { projects: readonly { readonly name: string }[] } = JSON.parse(
    (await sandbox.ok(['registry', 'list', '--json'])).stdout,
  )
  const { data } = resolvePaths({ env: sandbox.env })
  return [...readdirSync(join(data, 'scratch')), ...projects.map(({ name }) => name)]
}

onHost('try runs a command at a URL and saves it on request', async (t, machine) => {
  const sandbox = machine.sandbox({ user: 'self' })
  const folder = sandbox.project('my shop', { 'greet.mjs': server, '.env': 'GREETING=from .env\n' })
  const words = ['try', 'node', 'greet.mjs', '$PORT']
  const terminal = new PseudoTerminal(t, [process.execPath, sandbox.main, ...words], {
    ...{ columns: 120, cwd: folder, env: sandbox.env },
  })
  await terminal.shows(/Press Ctrl-C/)
  t.match(terminal.text, /https:\/\/my-shop-try\.localhost/)
  t.match(await sandbox.get('my-shop-try.localhost'), { status: 200, body: 'from .env' })
  const again = await sandbox.run(words, { cwd: folder })
  t.match(again, { code: 2, stderr: /runs already: 'locald try' with pid \d+/ })
  terminal.press('d')
  terminal.press('\x03')
  await terminal.shows(/Save as service web in locald\.toml\? \[y\/N\]/)
  t.strictSame(await remains(sandbox), [])
  terminal.press('y\r')
  t.match(await terminal.exit, { code: 0, isRestored: true })
  t.match(readFileSync(join(folder, 'locald.toml'), 'utf8'), /\[services\.web\]\ncommand = "node greet\.mjs \$PORT"/)
  await sandbox.up(folder)
  t.match(await sandbox.get('my-shop.localhost'), { status: 200, body: 'from .env' })
})

onHost('of the same command, started several times at once, one runs', async (t, machine) => {
  const sandbox = machine.sandbox()
  const folder = sandbox.project('shop', { 'greet.mjs': server })
  await sandbox.ok(['status', '--all'], { cwd: folder })
  const words = ['try', 'node', 'greet.mjs', '$PORT']
  const all = [1, 2, 3].map(() => sandbox.start(words, { cwd: folder }))
  const first = await Promise.race(all.map(one => one.prints(/ready +https/).then(() => one)))
  for (const other of all.filter(one => one !== first))
    t.match(await other.done, { code: 2, stderr: /^Error: the same runs already: 'locald try' with pid \d+ \[USAGE\]/ })
  t.match(await sandbox.get('shop-try.localhost'), { status: 200 })
  first.child.kill('SIGINT')
  await first.done
  t.strictSame(await remains(sandbox), [])
})

onHost('another command in the same folder gets the name with a number', async (t, machine) => {
  const sandbox = machine.sandbox()
  const folder = sandbox.project('shop', { 'greet.mjs': server, 'other.mjs': server })
  const first = sandbox.start(['try', 'node', 'greet.mjs', '$PORT'], { cwd: folder })
  await first.prints(/ready +https:\/\/shop-try\.localhost/)
  const second = sandbox.start(['try', 'node', 'other.mjs', '$PORT'], { cwd: folder })
  await second.prints(/ready +https:\/\/shop-try-2\.localhost/)
  t.match(await sandbox.get('shop-try-2.localhost'), { status: 200 })
  for (const each of [first, second]) {
    each.child.kill('SIGINT')
    await each.done
  }
})

onHost('a command that fails to start is reported, and leaves nothing', async (t, machine) => {
  const sandbox = machine.sandbox()
  const folder = sandbox.project('shop', {})
  const ran = await sandbox.run(['try', 'sh', '-c', 'echo no such thing >&2; exit 3'], { cwd: folder })
  t.equal(ran.code, 1)
  t.match(ran.stderr, /no such thing/)
  t.notMatch(ran.stderr, /locald (?:why|logs|stop)/, 'no hint about a project that is forgotten')
  t.strictSame(await remains(sandbox), [])
  t.strictSame(readdirSync(folder), [])
})

onHost('serve serves the output of a build until it exits, also by SIGKILL', async (t, machine) => {
  const sandbox = machine.sandbox()
  const folder = sandbox.project('docs', { 'dist/index.html': '<body>HOME</body>', 'file.txt': 'x' })
  const options = { cwd: folder }
  const first = sandbox.start(['serve', '--spa'], options)
  await first.prints(/ready +https:\/\/docs-serve\.localhost/)
  t.match(first.stderr, /^Serving dist$/m)
  const port = async () => (await sandbox.status())[0]?.port
  const before = await port()
  t.match(await sandbox.get('docs-serve.localhost', '/users/7'), { status: 200, body: /HOME<script/ })
  const { pid } = (await sandbox.status())[0] ?? {}
  first.child.kill('SIGKILL')
  await first.done
  await until('the exit of the service', () => typeof pid === 'number' && !processList.isAlive(pid))

  const second = sandbox.start(['serve', '--no-reload', '--json'], options)
  await second.prints(/"event":"done"/)
  t.match(await sandbox.get('docs-serve.localhost'), { status: 200, body: '<body>HOME</body>' })
  second.child.kill('SIGINT')
  const ran = await second.done
  t.equal(ran.code, 0)
  for (const line of ran.stdout.trim().split('\n')) t.ok(JSON.parse(line))
  t.strictSame(await remains(sandbox), [], 'with what the killed one left')

  const third = sandbox.start(['serve', '--spa'], options)
  await third.prints(/ready/)
  t.equal(await port(), before, 'the same port as the first time')
  third.child.kill('SIGTERM')
  t.equal((await third.done).code, 0)
  t.strictSame(readdirSync(folder).sort(), ['dist', 'file.txt'])

  t.match(await sandbox.run(['serve', 'nope'], options), { code: 2, stderr: /nope does not exist/ })
  t.match(await sandbox.run(['serve', 'file.txt'], options), { code: 2, stderr: /file\.txt is not a folder/ })
  t.strictSame(await remains(sandbox), [])
})
