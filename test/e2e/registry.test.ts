/** Known projects: listed, pinned, forgotten; the pinned ones start with the daemon. */
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { CleanAnswer, DoctorAnswer, RegistryAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { on } from './suite.ts'

const worker = (name: string, command = 'exec sleep 100004', more = '') => ({
  'locald.toml': `[project]\nname = "${name}"\n[services.job]\ntype = "worker"\ncommand = "${command}"\nrestart = "no"\n${more}`,
})

async function listed(box: Sandbox) {
  const { projects }: RegistryAnswer = JSON.parse((await box.ok(['registry', 'list', '--json'])).stdout)
  return new Map(projects.map(project => [project.name, project]))
}

/** When it runs. */
function pidOf(box: Sandbox, key: string): Promise<number> {
  return until(`${key} to run`, async () => {
    const found = (await box.status()).find(view => view.key === key)
    return found?.status === 'running' ? found.pid : undefined
  })
}

on('linux', 'projects are listed, pinned by folder or name, and unpinned', async (t, machine) => {
  const box = machine.sandbox()
  t.match((await box.ok(['registry', 'list'])).stdout, /^No known projects/)
  const [shop, blog] = [box.project('shop', worker('shop')), box.project('blog', worker('blog'))]
  await box.up(shop)
  t.equal((await box.ok(['registry', 'pin'], { cwd: blog })).stdout, 'Pinned blog: starts with the daemon\n')
  t.equal(
    (await box.status(blog)).find(view => view.status !== 'stopped'),
    undefined,
    'it is not started by that',
  )
  const { stdout } = await box.ok(['registry', 'pin', 'shop', 'blog', '--json'])
  t.match(JSON.parse(stdout), {
    projects: [
      { name: 'blog', pinned: true },
      { name: 'shop', pinned: true },
    ],
  })
  t.match((await listed(box)).get('shop'), {
    path: realpathSync(shop),
    domain: 'shop.localhost',
    pinned: true,
    exists: true,
    usedAt: /^\d{4}-.*Z$/,
    problem: null,
  })
  t.match(
    (await box.ok(['registry', 'list'])).stdout,
    /^NAME +PINNED .*\nblog +yes .*\nshop +yes +shop\.localhost +.* ago +\//,
  )
  t.match(await box.run(['registry', 'pin', 'shob']), {
    code: 2,
    stderr: /UNKNOWN_PROJECT\]\nHint: Did you mean 'shop'/,
  })
  t.match(await box.run(['registry', 'pin'], { cwd: box.project('empty', {}) || box.home }), {
    code: 2,
    stderr: /CONFIG_NOT_FOUND/,
  })
  t.equal((await box.ok(['registry', 'unpin', '../shop'], { cwd: blog })).stdout, 'Unpinned shop\n', 'by its path')
  await box.ok(['server', 'shutdown'])
  await box.ok(['server', 'start'])
  await pidOf(box, 'blog:job')
  t.notOk(
    (await box.status()).some(view => view.project === 'shop' && view.status === 'running'),
    'it does not start',
  )
})

on('linux', 'output of a service is not in the log of the daemon', async (t, machine) => {
  const box = machine.sandbox()
  const toml = `[project]\nname = "leaky"\n[services.job]\ntype = "worker"\ncommand = "echo 'Error: token s3cret is wrong'; exit 3"\nrestart = "no"\n`
  await box.ok(['registry', 'pin'], { cwd: box.project('leaky', { 'locald.toml': toml }) })
  await box.ok(['server', 'restart'])
  const { daemonLog } = resolvePaths({ env: box.env })
  const log = await until('the report', () => {
    const text = readFileSync(daemonLog, 'utf8')
    return text.includes('leaky is not healthy') && text
  })
  t.match(log, /leaky is not healthy: job failed \(exited with code 3\) \(run `locald why leaky` for details\)/)
  t.notMatch(log, /s3cret/)
})

on('linux', 'pinned projects start with the daemon, independently and in the background', async (t, machine) => {
  const box = machine.sandbox()
  const never = 'health_check = \\"false\\"\\nready_timeout = 100\\n'.replaceAll('\\"', '"').replaceAll('\\n', '\n')
  const projects = {
    good: worker('good'),
    broken: worker('broken'),
    deleted: worker('deleted'),
    failing: worker('failing', 'exit 7'),
    slow: worker('slow', 'exec sleep 100004', never),
  }
  for (const [name, files] of Object.entries(projects))
    await box.ok(['registry', 'pin'], { cwd: box.project(name, files) })
  await box.ok(['server', 'shutdown'])
  box.write(join(box.home, 'broken', 'locald.toml'), 'nonsense')
  rmSync(join(box.home, 'deleted'), { recursive: true })
  await box.ok(['server', 'start'])
  t.equal((await box.ok(['ping'])).stdout, 'Pong\n', 'it answers while one is not ready')
  const good = await pidOf(box, 'good:job')
  await until(
    'one to have failed',
    async () => (await box.status()).find(view => view.key === 'failing:job')?.status === 'failed',
  )
  t.match(
    (await box.status()).find(view => view.key === 'slow:job'),
    { status: 'starting' },
  )

  const known = await listed(box)
  t.match(known.get('broken')?.problem, /locald\.toml:1: /)
  t.match(known.get('deleted'), {
    exists: false,
    problem: /does not exist \(run `locald registry unpin deleted` and `locald registry clean`/,
  })
  for (const name of ['good', 'failing', 'slow']) t.equal(known.get(name)?.problem, null, name)
  const { checks }: DoctorAnswer = JSON.parse((await box.ok(['doctor', '--json'])).stdout)
  t.match(
    checks.find(({ id }) => id === 'pinned-projects'),
    {
      status: 'warn',
      summary: /broken was not started: .*; deleted was not started: /,
    },
  )

  t.comment('what an earlier daemon left running goes on')
  await box.ok(['server', 'restart'])
  t.equal(await pidOf(box, 'good:job'), good)
  t.comment('a problem is over when the project was started by hand')
  box.write(join(box.home, 'broken', 'locald.toml'), worker('broken')['locald.toml'])
  await box.up(join(box.home, 'broken'))
  t.equal((await listed(box)).get('broken')?.problem, null)
})

on('linux', 'clean forgets projects whose folder was deleted, unless they run', async (t, machine) => {
  const box = machine.sandbox()
  for (const name of ['stays', 'goes', 'runs']) await box.up(box.project(name, worker(name)))
  await box.ok(['stop'], { cwd: join(box.home, 'goes') })
  rmSync(join(box.home, 'goes'), { recursive: true })
  renameSync(join(box.home, 'runs'), join(box.home, 'elsewhere'))
  t.match((await box.ok(['registry', 'list'])).stdout, /\n {2}folder was deleted; run `locald registry clean`\n/)
  const { forgotten, kept }: CleanAnswer = JSON.parse((await box.ok(['registry', 'clean', '--json'])).stdout)
  t.same([forgotten.map(({ name }) => name), kept.map(({ name }) => name)], [['goes'], ['runs']])
  t.notOk((await box.status()).some(view => view.project === 'goes'))
  await pidOf(box, 'runs:job')
  const said = (await box.ok(['registry', 'clean'])).stderr
  t.match(said, /^Kept runs: its folder was deleted but services are still running; run `locald stop runs`\n/)
  t.match(await box.ok(['stop', 'runs']), { stdout: 'Stopped job\n' })
  t.match((await box.status()).map(({ key, status }) => `${key} ${status}`).sort(), [
    'runs:job stopped',
    'stays:job running',
  ])
  t.match((await box.ok(['registry', 'clean'])).stdout, /^Forgot runs\nRemoved the logs of runs .*\n$/)
  t.equal((await box.ok(['registry', 'clean'])).stdout, 'Nothing to forget\n')
  t.same([...(await listed(box)).keys()], ['stays'])
})

on('linux', 'clean shows first what it removes: logs of unknown projects, nothing of others', async (t, machine) => {
  const box = machine.sandbox()
  for (const name of ['stays', 'goes', 'pinned']) await box.up(box.project(name, worker(name, 'echo a line')))
  await box.ok(['registry', 'pin', 'pinned'])
  for (const name of ['goes', 'pinned']) {
    await box.ok(['stop', name])
    rmSync(join(box.home, name), { recursive: true })
  }
  const logs = join(resolvePaths({ env: box.env }).data, 'logs')
  const [outside, link] = [join(box.home, 'outside'), join(logs, 'link')]
  box.write(join(outside, 'file'), '')
  symlinkSync(outside, link)
  mkdirSync(join(logs, 'unknown'))
  const clean = async (...args: string[]): Promise<CleanAnswer> =>
    JSON.parse((await box.ok(['registry', 'clean', '--json', ...args])).stdout)
  const dry = await clean('--dry-run')
  t.same(dry.removed, [
    { project: 'goes', path: join(logs, 'goes'), bytes: dry.removed[0]?.bytes },
    { project: 'unknown', path: join(logs, 'unknown'), bytes: dry.removed[1]?.bytes },
  ])
  t.ok((dry.removed[0]?.bytes ?? 0) > 0)
  t.match(await box.ok(['registry', 'clean', '--dry-run']), {
    stdout: /^Would forget goes\nWould remove the logs of goes \(\d.*\): \/.*\nWould remove the logs of unknown /,
    stderr: 'Kept pinned: its folder was deleted but the project is pinned; run `locald registry unpin pinned`\n',
  })
  t.ok((await listed(box)).has('goes'), 'nothing is forgotten')
  t.ok(existsSync(join(logs, 'goes')), 'nothing is removed')
  t.same(await clean(), dry, 'then exactly that')
  for (const name of ['goes', 'unknown']) t.notOk(existsSync(join(logs, name)), name)
  for (const name of ['stays', 'pinned']) t.ok(existsSync(join(logs, name)), name)
  t.ok(existsSync(join(outside, 'file')) && existsSync(link), 'no link is followed')
  t.same([...(await listed(box)).keys()], ['pinned', 'stays'])

  t.comment('a new project of that name has logs again')
  const again = box.project('goes', worker('goes', 'echo another line'))
  await box.up(again)
  t.match(await box.logs(again), [{ text: 'another line' }])

  t.comment('a moved project keeps its logs')
  renameSync(again, `${again}-moved`)
  await box.up(`${again}-moved`)
  t.same((await clean()).removed, [])
  t.ok((await box.logs(`${again}-moved`)).length > 0)
})

on('linux', 'a project name or folder is accepted in place of a service', async (t, machine) => {
  const box = machine.sandbox()
  const more = '[services.blog]\ntype = "worker"\ncommand = "exec sleep 100005"'
  const shop = box.project('shop', worker('shop', 'echo of shop; exec sleep 100004', more))
  const blog = box.project('blog', worker('blog', 'echo of blog; exec sleep 100004'))
  await box.up(shop)
  await box.up(blog)
  const states = async () => (await box.status()).map(({ key, status }) => `${key} ${status}`).sort()
  const cwd = box.home
  t.match((await box.ok(['logs', 'blog'], { cwd })).stdout, 'job | of blog\n')
  const both = (await box.ok(['logs', './shop', 'blog'], { cwd })).stdout
  for (const line of ['blog:job  | of blog\n', 'shop:job  | of shop\n']) t.ok(both.includes(line), both)
  t.match(JSON.parse((await box.ok(['status', 'blog', '--json'], { cwd })).stdout).services, [{ key: 'blog:job' }])
  await box.ok(['wait', 'shop'], { cwd })
  const before = await pidOf(box, 'blog:job')
  await box.ok(['restart', '../blog'], { cwd: shop })
  t.not(await pidOf(box, 'blog:job'), before)

  t.comment('the nearest reading counts')
  await box.ok(['stop', 'blog'], { cwd: shop })
  t.same(await states(), ['blog:job running', 'shop:blog stopped', 'shop:job running'])
  await box.ok(['stop', 'shop', 'blog:job'], { cwd })
  t.same(await states(), ['blog:job stopped', 'shop:blog stopped', 'shop:job stopped'])
  for (const [words, from, message] of [
    [
      ['stop', 'blgo'],
      cwd,
      /unknown project 'blgo', and no project in \S+ that could have a service 'blgo' \[UNKNOWN_PROJECT\]\nHint: Did you mean 'blog'/,
    ],
    [
      ['stop', 'jobb'],
      shop,
      /unknown service 'jobb' in project 'shop', and no project has that name \[UNKNOWN_SERVICE\]\nHint: Did you mean 'job'/,
    ],
    [
      ['service', 'reset', 'shop', '--yes'],
      cwd,
      /'shop' is a project with several services \[UNKNOWN_SERVICE\]\nHint: Name one: shop:job, shop:blog/,
    ],
    [['stop', './none'], cwd, /CONFIG_NOT_FOUND/],
  ] as const)
    t.match(await box.run(words, { cwd: from }), { code: 2, stderr: message })

  t.comment('what only the registry knows')
  await box.ok(['server', 'shutdown'])
  t.match((await box.ok(['logs', 'blog'], { cwd })).stdout, 'of blog')
  t.match((await box.ok(['status'], { cwd })).stdout, /^No known project in this folder\. Run `locald up`/)
})

on('linux', 'a project that was moved while running keeps its identity', async (t, machine) => {
  const box = machine.sandbox()
  const [old, now] = [box.project('old', worker('shop')), join(box.home, 'now')]
  await box.up(old)
  const pid = await pidOf(box, 'shop:job')
  renameSync(old, now)
  t.match(
    (await box.ok(['why', 'job'], { cwd: now })).stdout,
    new RegExp(`pid ${pid}`),
    'what runs is found from there',
  )
  await box.up(now)
  const views = await box.status()
  t.match(views, [{ key: 'shop:job', path: realpathSync(now), status: 'running' }])
  t.equal(views.length, 1, 'nothing is left of the old place')
  t.notOk(processList.isAlive(pid))
  renameSync(now, old)
  await box.ok(['stop'], { cwd: old })
  t.same(
    (await box.status()).map(({ status }) => status),
    ['stopped'],
    'and stopped from there',
  )
})

on('linux', 'moving a folder away and back stops no service', async (t, machine) => {
  const box = machine.sandbox()
  const shop = box.project('shop', { ...worker('shop', 'exec sleep 100004', 'watch = ["watched"]\n'), watched: '' })
  await box.up(shop)
  const pid = await pidOf(box, 'shop:job')
  renameSync(shop, `${shop}-away`)
  const reason = async () => (await box.service(shop, 'job').catch(() => undefined))?.reason
  await until('the missing folder to be seen', async () =>
    (await box.status()).some(view => view.reason?.includes('was moved')),
  )
  t.ok(processList.isAlive(pid), 'it runs on while its folder is missing')
  renameSync(`${shop}-away`, shop)
  await until('the folder to be seen again', async () => (await reason()) === null)
  t.match(await box.service(shop, 'job'), { status: 'running' })
})
