/** `locald status --watch` in a terminal and in a pipe, against a real daemon. */
import t, { type Test } from 'tap'
import type { LocaldEvent } from '../../kernel/events.ts'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import { jsonLines, until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const worker = (name: string) => `
[services.${name}]
type = "worker"
command = "exec sleep 1000"
`

const sandbox = new Sandbox(t, { user: 'self' })
const shop = sandbox.project('shop', {
  'locald.toml': `[project]\nname = "shop"\n${worker('web')}${worker('db')}`,
})
const blog = sandbox.project('blog', { 'locald.toml': `[project]\nname = "blog"\n${worker('pages')}` })

t.before(async () => {
  await sandbox.ok(['up', '--detach'], { cwd: shop })
  await sandbox.ok(['up', '--detach'], { cwd: blog })
})

function watch(
  t: Test,
  args: readonly string[] = [],
  size: { readonly columns?: number; readonly rows?: number } = {},
) {
  const argv = [process.execPath, sandbox.main, 'status', '--watch', ...args]
  return new PseudoTerminal(t, argv, { cwd: shop, env: sandbox.env, ...size })
}

const clean = { code: 0, isRestored: true }

t.test('redraws what changes, outlives a daemon, and leaves the last table', async t => {
  const screen = watch(t)
  await screen.shows(/^web +Running[\s\S]*^db +Running/m)
  t.ok(screen.xterm.isAlternate)
  t.notMatch(screen.text, 'pages', 'that is another project')
  // Memory is the last to be known: from then on only times change.
  await screen.shows(/^web .*\dM *$/m)
  const before = screen.output.length
  await sandbox.ok(['stop', 'db'], { cwd: shop })
  await screen.shows(/^db +Stopped/m)
  const drawn = screen.output.slice(before)
  t.match(drawn, /Stopped/)
  t.notMatch(drawn, /web|NAME|\x1b\[2J/, 'other cells are not drawn again')

  await sandbox.ok(['server', 'restart'])
  await sandbox.ok(['stop', 'web'], { cwd: shop })
  await screen.shows(/^web +Stopped/m)
  await sandbox.ok(['up', 'web', '--detach'], { cwd: shop })
  await screen.shows(/^web +Running/m)
  screen.press('q')
  t.same(await screen.exit, clean)
  t.notOk(screen.xterm.isAlternate)
  t.match(screen.text, /^NAME +STATUS[\s\S]*^web +Running[\s\S]*^db +Stopped/m)
  t.ok(screen.output.lastIndexOf('\x1b[?25h') > screen.output.lastIndexOf('\x1b[?25l'), 'the cursor is shown')
  await sandbox.ok(['up', '--detach'], { cwd: shop })
})

t.test('Ctrl-C and a signal restore the terminal', async t => {
  const [one, two] = [watch(t), watch(t, ['web'])]
  await Promise.all([one.shows(/^db +Running/m), two.shows(/^web +Running/m)])
  t.notMatch(two.text, 'db')
  one.press('\x03')
  t.same(await one.exit, clean)
  two.signal(15)
  t.same(await two.exit, { code: 143, isRestored: true })
  t.notOk(two.xterm.isAlternate)
})

t.test('fits any size, and scrolls', async t => {
  const screen = watch(t, ['--all'], { columns: 40, rows: 4 })
  await screen.shows('lines 1-2 of 3')
  const [, , second] = screen.text.split('\n')
  screen.press('j')
  await screen.shows('lines 2-3 of 3')
  const [heading, first] = screen.text.split('\n')
  t.match(heading, /^NAME/)
  t.equal(first, second)
  await screen.resize(100, 10)
  await screen.shows(text => ['shop:web', 'shop:db', 'blog:pages', 'UPTIME'].every(each => text.includes(each)))
  screen.press('q')
  t.same(await screen.exit, clean)
})

t.test('prints a line for each change without a terminal', async t => {
  const lines = sandbox.start(['status', '-w', 'blog', 'shop:web'], { cwd: blog })
  const objects = sandbox.start(['status', '-w', '--json'], { cwd: blog })
  await lines.prints(/blog:pages ready\n[^\n]*shop:web ready\n|shop:web ready\n[^\n]*blog:pages ready\n/)
  await objects.prints('"running"')
  await sandbox.ok(['restart', 'pages'], { cwd: blog })
  await lines.prints(/blog:pages restarting\n[\s\S]*blog:pages ready\n/)
  await sandbox.ok(['server', 'restart'])
  await sandbox.ok(['stop', 'pages'], { cwd: blog })
  await lines.prints(/blog:pages stopped\n/)
  sandbox.write(`${blog}/locald.toml`, `[project]\nname = "blog"\n${worker('posts')}`)
  await sandbox.ok(['up', '--detach'], { cwd: blog })
  await lines.prints(/blog:posts ready\n/)
  await lines.prints(/blog:pages removed\n/)
  await objects.prints('"removed"')
  for (const { child } of [lines, objects]) child.kill('SIGINT')
  t.match(await lines.done, { signal: 'SIGINT', stderr: '' })
  t.equal(lines.stdout.match(/shop:web/g)?.length, 1, 'a service that does not change has one line')
  const events = jsonLines<LocaldEvent>(await objects.done)
  const seen = events.map(event =>
    event.event === 'service'
      ? `${event.service.name} ${event.service.status}`
      : event.event === 'removed' && event.key,
  )
  t.equal(seen[0], 'pages running')
  t.ok(
    ['pages restarting', 'pages stopped', 'posts running', 'blog:pages'].every(each => seen.includes(each)),
    `${seen}`,
  )
})

t.test('waits for a daemon, and refuses what does not exist', async t => {
  t.match(await sandbox.run(['status', '-w', 'nope'], { cwd: shop }), { code: 2, stderr: /unknown service 'nope'/ })
  const own = new Sandbox(t, { user: 'self' })
  const folder = own.project('late', { 'locald.toml': `[project]\nname = "late"\n${worker('web')}` })
  const lines = own.start(['status', '-w'], { cwd: folder })
  await until('its hint', () => lines.stderr.includes('Run `locald up` to start it.'))
  await own.ok(['up', '--detach'], { cwd: folder })
  await lines.prints(/web ready\n/)
  lines.child.kill('SIGINT')
  await lines.done
})
