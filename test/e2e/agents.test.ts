import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { StatusView } from '../../kernel/protocol.ts'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const toml = `[project]\nname = "shop"\n[services.job]\ntype = "worker"\ncommand = "exec sleep 200500"\nenv = { API_KEY = "canary-in-toml" }
[services.job.commands.fresh]
run = "echo canary-in-run \${mode} \${size}"
description = "Fill\\nit with canary-in-toml"
args = { mode = { type = "enum", values = ["a", "b"] }, size = { type = "integer", default = 100 } }\n`
const agent = { CLAUDECODE: '1' }

t.test('commands under a coding agent', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('shop', { 'locald.toml': toml })
  const status = async (): Promise<readonly StatusView[]> => await sandbox.status(folder)

  await t.test('the page about the project needs no daemon', async t => {
    const { stdout } = await sandbox.ok(['ai', 'context'], { cwd: folder })
    const lines = String.raw`- job \(worker\): not started\n\n## Commands\n\n- .locald run job fresh.\n\n`
    t.match(stdout, new RegExp(`^# shop\n[\\s\\S]*${lines}[\\s\\S]*.locald up.`))
    t.notMatch(stdout, 'canary')
    t.strictSame(sandbox.processes(), [], 'and starts none')
  })

  await t.test('the page of a large project is short', async t => {
    const word = 'a'.repeat(40)
    const commands = Array.from({ length: 40 }, (_, at) => `[services.${word}-${at}.commands.${word}]\nrun = "true"\n`)
    const large = sandbox.project('large', { 'locald.toml': commands.join('') })
    const { stdout } = await sandbox.ok(['ai', 'context'], { cwd: large })
    t.match(stdout, /^- 15 more in `locald status`$/m)
    t.match(stdout, /^- 30 more in `locald run SERVICE`$/m)
    t.ok(stdout.length < 6000, 'at most 2,000 tokens')
  })

  await t.test('up returns on a terminal without following, and what it started stops with the agent', async t => {
    // The shell stands for the agent: it sets the variable only for its commands.
    const command = `CLAUDECODE=1 sh -c '"$0" "$1" up; echo "code $?"' "$0" "$1"; exec sleep 200600`
    const argv = ['sh', '-c', command, process.execPath, sandbox.main]
    const terminal = new PseudoTerminal(t, argv, { cwd: folder, env: sandbox.env, columns: 120 })
    await terminal.shows('code 0')
    t.notMatch(terminal.output, /Press Ctrl-C|\x1b\[2K/, 'neither followed nor redrawn')
    t.match(terminal.text, /What this started stops when claude-code \(pid \d+\) exits/)
    t.match(await status(), [{ status: 'running', startedBy: /lease of claude-code \(pid \d+\)/ }])
    terminal.signal(9)
    await terminal.exit
    await until('the service to stop', async () => (await status())[0]?.status === 'stopped', 6000)
  })

  await t.test('with --detach it keeps running', async t => {
    await sandbox.ok(['up', '--detach'], { cwd: folder, env: agent })
    t.match(await status(), [{ status: 'running', startedBy: 'you' }])
    const { stdout } = await sandbox.ok(['ai', 'context'], { cwd: folder })
    const line = /^- `locald run job fresh --mode a\|b \[--size INTEGER\]`: Fill it with (.*)$/m.exec(stdout)
    t.strictSame(line?.[1], '••••', stdout)
    t.notMatch(stdout, 'canary')
  })

  await t.test('data is deleted only with --yes', async t => {
    const ran = await sandbox.run(['service', 'reset', 'job'], { cwd: folder, env: agent })
    t.match(ran, { code: 2, stderr: /claude-code needs --yes/ })
    const off = await sandbox.run(['service', 'reset', 'job'], { cwd: folder, env: { ...agent, LOCALD_AGENT: '0' } })
    t.notMatch(off.stderr, /needs --yes/)
  })

  await t.test('the skill is written once, and an edited one is kept', async t => {
    const home = join(sandbox.home, 'repo')
    mkdirSync(home)
    sandbox.own(home)
    const run = async (...flags: readonly string[]) =>
      (await sandbox.ok(['ai', 'skill', '--dir', home, ...flags])).stdout
    const files = ['.agents', '.claude'].map(each => join(home, each, 'skills', 'locald', 'SKILL.md'))
    t.equal(await run(), files.map(file => `written ${file}\n`).join(''))
    const [first = '', second = ''] = files
    const text = readFileSync(first, 'utf8')
    t.match(text, /^---\nname: locald\ndescription: [^\n]{50,400}\n---\n/)
    t.equal(readFileSync(second, 'utf8'), text)
    t.ok(text.length < 4000, 'short')
    t.equal(await run(), files.map(file => `unchanged ${file}\n`).join(''))
    writeFileSync(first, `${text}mine\n`)
    t.match(
      await run(),
      new RegExp(`^kept ${first}: it was edited; \`locald ai skill --force\` replaces it\nunchanged `),
    )
    t.match(readFileSync(first, 'utf8'), /mine\n$/)
    t.equal(await run('--force'), `updated ${first}\nunchanged ${second}\n`)
    t.equal((await sandbox.run(['ai', 'skill', '--dir', join(home, 'none')])).code, 2)
    t.notOk(existsSync(join(home, 'none')))
    // In /proc mkdir(2) reports ENOENT, on which Node's recursive mkdir loops forever.
    const refused = process.platform === 'linux' ? '/proc' : '/dev'
    const ran = await sandbox.run(['ai', 'skill', '--dir', refused])
    t.match(ran, { code: 2, stderr: new RegExp(`^Error: cannot write ${refused}/.agents/skills/locald/SKILL.md: `) })
  })

  await t.test('what starts the MCP server is printed for each client', async t => {
    const { stdout } = await sandbox.ok(['ai', 'mcp-config', 'claude'])
    t.strictSame(JSON.parse(stdout), { mcpServers: { locald: { command: 'locald', args: ['mcp'] } } })
    t.match((await sandbox.ok(['ai', 'mcp-config'])).stdout, /\[mcp_servers\.locald\]\ncommand = "locald"/)
    t.equal((await sandbox.run(['ai', 'mcp-config', 'nope'])).code, 2)
  })
})
