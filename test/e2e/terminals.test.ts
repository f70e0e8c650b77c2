import t from 'tap'
import { Sandbox } from '../lib/sandbox.ts'
import { TerminalClient, type TerminalClientOptions } from '../lib/terminal-client.ts'

const sandbox = new Sandbox(t)

/** Starts a project of these services; opens terminals of it. */
async function start(services: Readonly<Record<string, string>>, name: string) {
  const tables = Object.entries(services).map(([key, text]) => `[services.${key}]\ntype = "worker"\n${text}\n`)
  const path = sandbox.project(name, { 'locald.toml': `[project]\nname = "${name}"\n${tables.join('')}` })
  await sandbox.ok(['up', '--detach'], { cwd: path })
  const { socket } = await sandbox.server()
  const open = (service: string, more: Partial<TerminalClientOptions> = {}) =>
    new TerminalClient(t, { socket, of: { path, service }, ...more })
  return { path, open }
}

t.test('typing into a REPL shows its answers, which are in the log as lines', async t => {
  const { path, open } = await start({ repl: `command = "exec '${process.execPath}' -i"` }, 'repl')
  const client = open('repl')
  await client.shows(/^> $|\n> ?$/)
  client.type('6 * 7\r')
  await client.shows(/\n42\n/)
  t.match(client.notes[0], { screen: { cols: 80, rows: 24, input: true } })
  const lines = await sandbox.logs(path)
  t.ok(lines.some(({ text }) => text.includes('42')))
})

t.test('a late client and one after a reload get the screen as it is, with the cursor', async t => {
  const { open } = await start(
    { cat: `command = "printf 'one\\\\n\\\\033[1;31mred\\\\033[0m\\\\nask> '; exec cat"` },
    'late',
  )
  const first = open('cat')
  await first.shows(/one\nred\nask>/)
  const second = open('cat')
  await second.shows(/one\nred\nask>/)
  second.type('yes\r')
  await Promise.all([first.shows(/ask> yes\nyes$/), second.shows(/ask> yes\nyes$/)])
  first.close()
  second.close()
  const third = open('cat')
  await third.shows(/^one\nred\nask> yes\nyes$/)
  t.equal(third.notes.length, 1)
})

t.test('the program sees the size of the smallest client', async () => {
  const { open } = await start(
    { size: `command = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done"` },
    'size',
  )
  const wide = open('size', { size: [100, 30] })
  await wide.shows(/30 100/)
  const small = open('size', { size: [60, 40] })
  await small.shows(/30 60/)
  await wide.until(() => wide.size.join() === '60,30', 'the smaller size')
  small.resize(50, 20)
  await wide.shows(/20 50/)
  small.close()
  await wide.until(() => wide.size.join() === '100,30', 'its own size')
})

t.test('keeps the socket through a restart, with a notice', async t => {
  const { path, open } = await start({ echo: 'command = "echo run $$; exec cat"' }, 'again')
  const client = open('echo')
  await client.shows(/run \d+/)
  await sandbox.ok(['restart', 'echo'], { cwd: path })
  await client.shows(/run \d+\n\n\[terminated by SIGTERM\]\nrun \d+/)
  client.type('hello\r')
  await client.shows(/hello\nhello/)
  t.match(client.notes.slice(1), [{ input: false }, { input: true }])
  await sandbox.ok(['stop', 'echo'], { cwd: path })
  await client.until(() => client.notes.some(note => 'input' in note && !note.input), 'no input')
  const late = open('echo')
  await late.shows(/run \d+/)
  t.equal(client.closed, undefined)
})

t.test('a service without a terminal shows its output and takes no text', async () => {
  const { open } = await start({ pipe: 'tty = false\ncommand = "echo out; echo err >&2; exec sleep 1000"' }, 'pipe')
  const client = open('pipe')
  await client.shows(/out/)
  await client.shows(/err/)
  t.match(client.notes[0], { screen: { input: false } })
  client.type('nothing\r')
})

t.test('a client that reads nothing does not stop the service, and gets the screen as it is then', async t => {
  const { open } = await start({ flood: `command = "read go; seq 1 400000; echo flooded; exec cat"` }, 'flood')
  const slow = open('flood', { acknowledges: false })
  const quick = open('flood')
  await quick.until(() => quick.notes.length > 0 && slow.notes.length > 0, 'both screens')
  quick.type('\r')
  await quick.shows(/400000\nflooded/)
  t.ok(slow.received < 700 * 1024, `${slow.received} bytes`)
  slow.send(JSON.stringify({ ack: slow.received }))
  await slow.shows(/399999\n400000\nflooded/)
})

t.test('refuses what it does not know', async t => {
  const { open, path } = await start({ cat: 'command = "exec cat"' }, 'wrong')
  const client = open('cat')
  await client.until(() => client.notes.length > 0, 'the screen')
  client.send('{"resize":[0,5]}')
  await client.until(() => client.closed?.code === 1008, 'a close')
  const large = open('cat')
  await large.until(() => large.notes.length > 0, 'the screen')
  large.send(Buffer.alloc(65 * 1024))
  await large.until(() => large.closed?.code === 1009, 'a close')
  const unknown = open('no-such-service')
  await unknown.until(() => /40\d|500/.test(unknown.closed?.reason ?? ''), 'a refusal')
  t.match(unknown.closed?.reason, /Unexpected server response: 4\d\d/)
  t.ok(path)
})
