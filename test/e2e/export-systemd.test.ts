// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the texts of units.
/** `export systemd`: units that systemd accepts, without values of secrets. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { Sandbox } from '../lib/sandbox.ts'

const sandbox = new Sandbox(t)
const canary = 'canary-of-a-secret'
const folder = sandbox.project('100% [odd]', {
  'locald.toml': `[project]
name = "big"
[services.web]
command = """
printf '%s\\n' "a \\\\ $PORT" \\
  && exec node server.js --api-key ${canary}
"""
workdir = "web"
port = 3000
env = { PLAIN = "100% \\"q\\" $x \\\\n\\nnext", API = "\${services.api.url}", DB_PASSWORD = "${canary}", REMOTE = "https://me:${canary}@example.com", GREETING = "hi \${USER:-a \\"b\\"}", SHARED = "of the table" }
depends_on = { api = "ready", seed = "completed", db = "ready" }
stop_signal = "SIGINT"
stop_timeout = "1500ms"
health_check = "/health"
[services.api]
command = "node api.js"
restart = "always"
stop_timeout = 0
[services.seed]
type = "worker"
command = "node seed.js"
restart = "no"
[services.db]
type = "postgres"
[services.report]
type = "cron"
command = "node report.js"
schedule = "*/30 9 1 * MON"
[services.sweep]
type = "cron"
command = "node sweep.js"
every = "7m"
[services.last]
type = "cron"
command = "node last.js"
schedule = "0 0 L * *"
`,
  '.env': `TOKEN=${canary}\nSHARED=of the file\n`,
  'web/server.js': '',
})

t.test('units have what locald does, and nothing of a secret', async t => {
  const { stdout, stderr } = await sandbox.ok(['export', 'systemd'], { cwd: folder })
  t.notMatch(stdout + stderr, canary)
  const { files } = JSON.parse((await sandbox.ok(['export', 'systemd', '--json'], { cwd: folder })).stdout)
  const texts: ReadonlyMap<string, string> = new Map(
    files.map(({ name, text }: { readonly name: string; readonly text: string }) => [name, text]),
  )
  t.strictSame([...texts.keys()].toSorted(), [
    'big-api.service',
    'big-report.service',
    'big-report.timer',
    'big-seed.service',
    'big-sweep.service',
    'big-sweep.timer',
    'big-web.service',
    'big.target',
  ])
  const lines = (name: string) => (texts.get(name) ?? '').split('\n')
  const has = (name: string, expected: readonly string[]) => {
    for (const line of expected) t.ok(lines(name).includes(line), `${name} has ${line}`)
  }
  has('big.target', ['Wants=big-web.service big-api.service big-seed.service big-report.timer big-sweep.timer'])
  has('big-web.service', [
    'Type=exec',
    'PartOf=big.target',
    'Requires=big-api.service big-seed.service',
    'After=big-api.service big-seed.service',
    `WorkingDirectory=${folder.replace('%', '%%')}/web`,
    'Environment="PLAIN=100%% \\"q\\" $x \\\\n\\nnext"',
    'Environment="API=http://127.0.0.1:8080"',
    'Environment="HOST=127.0.0.1"',
    `EnvironmentFile=-${folder.replace('%', '%%').replace('[', '\\[')}/.env`,
    'EnvironmentFile=-%E/big.env',
    'Restart=on-failure',
    'RestartSec=1',
    'KillSignal=SIGINT',
    'TimeoutStopSec=1500ms',
  ])
  const command = lines('big-web.service').find(line => line.startsWith('ExecStart=')) ?? ''
  t.match(command, `ExecStart=/bin/sh -c "export PORT=3000\\n`)
  t.match(command, `printf '%%s\\n' \\"a \\\\ $$PORT\\"`)
  t.match(command, `--api-key $\${TOKEN}`)
  t.match(command, `export SHARED='of the table'\\n`)
  has('big-api.service', ['Restart=always', 'KillSignal=SIGKILL'])
  has('big-seed.service', ['Type=oneshot', 'RemainAfterExit=yes', 'Restart=no'])
  has('big-report.timer', ['OnCalendar=*-*-1 9:0,30:00', 'OnCalendar=Mon *-*-* 9:0,30:00', 'Persistent=true'])
  has('big-sweep.timer', ['OnActiveSec=420000ms', 'OnUnitActiveSec=420000ms'])
  t.match(stderr, 'services.last.schedule: systemd has no such calendar event: the command is not written')
  t.match(stderr, 'services.db: start the postgres yourself')
  t.match(stderr, 'services.web.env.DB_PASSWORD: write DB_PASSWORD to ~/.config/big.env, with mode 600')
  t.match(stderr, 'services.web.depends_on: waits until api, db has started, not until it is ready')
})

t.test(
  'systemd accepts all units; the shell of a command gets its variables',
  { skip: onlyLinux('systemd') },
  async t => {
    const units = join(sandbox.home, 'units')
    t.match(await sandbox.run(['export', 'systemd', '-o', units], { cwd: folder }), { code: 0, stdout: /^Wrote / })
    const names = readdirSync(units).map(name => join(units, name))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', ...names], {
      encoding: 'utf8',
      env: { ...sandbox.env, SYSTEMD_LOG_LEVEL: 'warning' },
    })
    t.strictSame({ status, stderr }, { status: 0, stderr: '' })
    const web = readFileSync(join(units, 'big-web.service'), 'utf8')
    const [, argument = '""'] = /^ExecStart=\/bin\/sh -c (".*")$/m.exec(web) ?? []
    const script: string = JSON.parse(argument.replaceAll('%%', '%').replaceAll('$$', '$'))
    const [exported = ''] = script.split('printf')
    const env = { PASSWORD: 'p w"$', PATH: process.env['PATH'] }
    const printed = execFileSync('/bin/sh', ['-c', `${exported}printf '%s|' "$REMOTE" "$GREETING"`], {
      encoding: 'utf8',
      env,
    })
    t.equal(printed, 'https://me:p w"$@example.com|hi a "b"|')
    t.match(await sandbox.run(['export', 'systemd', '-o', units], { cwd: folder }), {
      code: 2,
      stderr: /exists already/,
    })
    t.match(await sandbox.run(['export', 'systemd', '-o', units, '--force'], { cwd: folder }), { code: 0 })
  },
)
