import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { Sandbox } from '../lib/sandbox.ts'

const worker = (more = '') => `type = "worker"\ncommand = "exec sleep 100000"\n${more}`

t.test('service remove changes only the service in locald.toml, stops it and keeps its data', async t => {
  const sandbox = new Sandbox(t)
  const head = '[project]\nname = "shop" # mine\n\n[services.web]\n'
  const rest = '# end\n\n[env]\nA = "b"\n'
  const jobs = `# the jobs\n[services.jobs]\n${worker()}\n[services.jobs.env]\nB = "c"\n`
  const folder = sandbox.project('shop', { 'locald.toml': `${head}${worker()}${rest}\n${jobs}` })
  const file = join(folder, 'locald.toml')
  await sandbox.up(folder)
  const data = join(resolvePaths({ env: sandbox.env }).data, 'services', 'shop', 'jobs')
  sandbox.write(join(data, 'table'), 'x'.repeat(5000))
  const [web, before] = [await sandbox.service(folder, 'web'), await sandbox.service(folder, 'jobs')]
  const text = readFileSync(file, 'utf8')
  const remove = (...words: string[]) => sandbox.run(['service', 'remove', ...words], { cwd: folder })

  t.comment('--dry-run changes nothing')
  const dry = await remove('jobs', '--dry-run')
  t.match(dry, { code: 0, stdout: /^Would stop jobs\nWould remove jobs from locald\.toml:\d+\n\n {2}# the jobs\n/ })
  t.match(dry.stdout, `Would keep the data of jobs (`)
  t.equal(readFileSync(file, 'utf8'), text)
  t.equal((await sandbox.service(folder, 'jobs')).pid, before.pid)

  const removed = await remove('jobs', '--json')
  t.match(removed, { code: 0 })
  t.match(JSON.parse(removed.stdout), {
    ...{ service: 'jobs', file, toml: jobs.replace('\n\n', '\n'), dryRun: false, stopped: true, warnings: [] },
    data: [{ what: 'data', path: data, name: null }],
  })
  t.equal(readFileSync(file, 'utf8'), `${head}${worker()}${rest}`)
  t.throws(() => process.kill(before.pid ?? Number.NaN, 0), { code: 'ESRCH' })
  t.ok(existsSync(join(data, 'table')))
  await sandbox.ok(['up', '--detach'], { cwd: folder })
  t.equal((await sandbox.service(folder, 'web')).pid, web.pid)
})

t.test('service remove refuses a service that is used, and names each place', async t => {
  const sandbox = new Sandbox(t)
  const uses = `depends_on = ["api"]\nenv = { A = "\${services.api.url:-none}", B = "\${services.db.port}" }\n`
  const command = `[services.web.commands.seed]\nrun = "echo \${services.api.port}"\n`
  const toml = `[project]
name = "shop"

[services.api]
command = """
exec sleep 1
"""

[services.db]
command = "exec sleep 1"

[services.web]
${worker(uses)}
${command}
[routes]
"/api" = { service = "api" }
`
  const folder = sandbox.project('shop', { 'locald.toml': toml })
  const file = join(folder, 'locald.toml')
  const remove = (...words: string[]) => sandbox.run(['service', 'remove', ...words], { cwd: folder })
  t.strictSame(await remove('api').then(({ code, stderr }) => [code, ...stderr.trimEnd().split('\n')]), [
    2,
    "Error: cannot remove service 'api', which is still used [USAGE]",
    "  locald.toml:15: services.web.depends_on[0]: uses 'api'",
    "  locald.toml:16: services.web.env.A: uses 'api'",
    "  locald.toml:19: services.web.commands.seed.run: uses 'api'",
    '  locald.toml:22: routes."/api": uses \'api\'',
    'Hint: Remove these first. Nothing was changed.',
  ])
  t.match(await remove('wep'), {
    code: 2,
    stderr: /no service 'wep' in .*UNKNOWN_SERVICE\]\nHint: Did you mean 'web'\?/,
  })
  t.equal(readFileSync(file, 'utf8'), toml)

  t.comment('what was wrong before is an error of the file')
  const faulty = toml.replace('[services.db]', '[services.db]\nprot = 1')
  writeFileSync(file, faulty)
  t.match(await remove('web'), { code: 2, stderr: /locald\.toml:10: services\.db\.prot: unknown key/ })
  t.equal(readFileSync(file, 'utf8'), faulty)
  t.comment('the service with the fault may go')
  writeFileSync(file, faulty.replace(`B = "\${services.db.port}"`, 'B = "c"'))
  t.match(await remove('db'), { code: 0, stdout: /^Removed db from locald\.toml:9\n/ })
  t.match(await sandbox.run(['config', 'check'], { cwd: folder }), { code: 0 })

  t.comment('services that are inferred have no lines')
  const other = sandbox.project('other', { 'package.json': '{ "scripts": { "dev": "node server.js" } }' })
  t.match(await sandbox.run(['service', 'remove', 'web'], { cwd: other }), {
    code: 2,
    stderr: /there is no .*locald\.toml/,
  })
})
