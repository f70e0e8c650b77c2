import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PseudoTerminal } from '../../lib/pseudo-terminal.ts'
import { environment, FakeDaemon, json, main } from '../fake-daemon.ts'

const services = {
  web: { command: 'npm run dev' },
  api: { command: 'node api.js', port: 4000 },
  jobs: { type: 'worker', command: 'npm run jobs' },
}

async function open(t: Test, env: Readonly<Record<string, string>> = {}) {
  const daemon = await FakeDaemon.start(t)
  const { home, socket } = daemon
  daemon.on('GET /v1/projects/inferred', json({ path: home, file: 'package.json', services, files: {}, notes: [] }))
  daemon.on('POST /v1/config', json({ project: 'shop', path: home, values: [] }))
  const words = { cwd: home, env: environment(home, { LOCALD_SOCKET: socket, ...env }) }
  const terminal = new PseudoTerminal(t, [process.execPath, main, 'init'], words)
  return { terminal, file: join(home, 'locald.toml') }
}

t.test('init asks on a terminal, and repeats the question after a wrong answer', async t => {
  const { terminal, file } = await open(t)
  await terminal.shows(/Found package\.json\. [\s\S]*Project name \[locald-cli-.*\]:/)
  terminal.press('No Label\r')
  await terminal.shows("A project's name must be")
  terminal.press('store\r')
  await terminal.shows('Services [web api jobs]:')
  terminal.press('web jop\r')
  await terminal.shows('There is no service jop: did you mean jobs?')
  terminal.press('web, jobs\r')
  await terminal.shows('Port of web [assigned]:')
  terminal.press('70000\r')
  await terminal.shows('A port is a number from 1 to 65535.')
  terminal.press('3000\r')
  t.match(await terminal.exit, { code: 0, isRestored: true })
  t.match(terminal.text, 'Wrote locald.toml: 2 services from package.json')
  t.match(
    readFileSync(file, 'utf8'),
    /name = "store"\n\n\[services\.web\]\ncommand = "npm run dev"\nport = 3000\n\n\[services\.jobs\]\ntype = "worker"\ncommand = "npm run jobs"\n$/,
  )
})

t.test('Enter takes the defaults', async t => {
  const { terminal, file } = await open(t)
  await terminal.shows('Project name [')
  terminal.press('\r')
  await terminal.shows('Services [')
  terminal.press('\r')
  await terminal.shows('Port of web [')
  terminal.press('\r')
  t.match(await terminal.exit, { code: 0 })
  t.match(
    readFileSync(file, 'utf8'),
    /command = "npm run dev"\n\n\[services\.api\]\n.*\nport = 4000\n\n\[services\.jobs\]\n/,
  )
})

t.test('Ctrl-C writes nothing', async t => {
  const { terminal, file } = await open(t)
  await terminal.shows('Project name [')
  terminal.press('\r')
  await terminal.shows('Services [')
  terminal.press('\x03')
  t.match(await terminal.exit, { code: 1, isRestored: true })
  t.match(terminal.text, 'Nothing was written')
  t.notOk(existsSync(file))
})

t.test('CI is not asked', async t => {
  const { terminal, file } = await open(t, { CI: '1' })
  t.match(await terminal.exit, { code: 0 })
  t.ok(existsSync(file))
})
