/**
 * The daemon as a job of launchd's without `server install`, on macOS 27: by launchd, for which test/e2e/launchctl.py
 * stands, and out of an app, for which test/e2e/terminal.py stands. What macOS makes of it shows `npm run test:mac --
 * --only quit`.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { DoctorAnswer } from '../../kernel/protocol.ts'
import { onlyLinux } from '../lib/machine.ts'
import { processList } from '../lib/process-list.ts'
import { type Running, until } from '../lib/running.ts'
import { jobsOf, type WithLaunchd, withLaunchd } from './launchd.ts'
import { type Machine, on } from './suite.ts'

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'e2e')
const unlike = onlyLinux('a launchd and an app that the test can end')

const shop = {
  'locald.toml': '[project]\nname = "shop"\n[services.job]\ntype = "worker"\ncommand = "exec sleep 100007"\n',
}

/** A Mac of that release, with a launchd of its own. */
function mac(machine: Machine, release: string): WithLaunchd {
  const it = withLaunchd(machine)
  return { ...it, env: { ...it.env, LOCALD_PLATFORM_RELEASE: release } }
}

/** From now on launchd is no descendant of who calls launchctl. */
function apart(t: Test, { box, env }: WithLaunchd): void {
  box.write(join(box.home, 'launchd.apart'), '')
  const launchd = box.spawn(['launchctl', 'launchd'], { env, limitMs: 110_000 })
  t.teardown(async () => {
    launchd.child.kill()
    await launchd.done
  })
}

/** An app with a terminal, in which a command of the CLI has run. */
async function terminal({ box, env }: WithLaunchd, args: readonly string[], cwd: string): Promise<Running> {
  const words = ['python3', join(folder, 'terminal.py'), process.execPath, box.main, ...args]
  const app = box.spawn(words, { env, cwd, limitMs: 110_000 })
  await until('its end', () => app.stdout.includes('exited with 0'), 60_000)
  return app
}

async function quit(app: Running): Promise<void> {
  app.child.kill('SIGTERM')
  await app.done
}

/** What was asked of launchctl. */
function asked({ box }: WithLaunchd): readonly string[] {
  const log = join(box.home, 'launchd.log')
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []
}

async function jobCheck({ box, env }: WithLaunchd) {
  const { checks }: DoctorAnswer = JSON.parse((await box.run(['doctor', '--json'], { env })).stdout)
  return checks.find(({ id }) => id === 'launch-agent')
}

const labels = (it: WithLaunchd) => Object.keys(jobsOf(it))

on(
  'darwin',
  'the daemon and its services keep running when the app that started them quits',
  async (t, machine) => {
    const it = mac(machine, '27.0.0')
    const { box, env } = it
    apart(t, it)
    const at = box.project('shop', shop)
    const app = await terminal(it, ['up', '--detach'], at)
    const { pid } = await box.server()
    const service = await box.service(at, 'job')
    const [label = ''] = labels(it)
    t.match(label, new RegExp(`^gui/\\d+/dev\\.locald\\.run\\.${box.name}\\.[0-9a-f]{8}$`))
    t.equal(jobsOf(it)[label]?.pid, pid)
    await quit(app)
    t.equal((await box.server()).pid, pid, 'the daemon')
    t.equal((await box.service(at, 'job')).pid, service.pid, 'the service')
    t.notOk(existsSync(it.file), 'it is not among the agents, which are started at login')
    t.match(await jobCheck(it), { status: 'pass' })

    t.comment('after a daemon is killed the next one adopts what the first job has started')
    process.kill(pid, 'SIGKILL')
    await until('its end', () => !processList.isAlive(pid))
    await quit(await terminal(it, ['server', 'start'], box.home))
    const next = await box.server()
    t.not(next.pid, pid)
    t.equal((await box.service(at, 'job')).pid, service.pid)
    t.equal(labels(it).length, 2, 'under another label')
    t.strictSame(
      asked(it).filter(words => words.startsWith('bootout')),
      [],
      'which stops all processes of a job',
    )

    t.comment('and one that is restarted')
    await quit(await terminal(it, ['server', 'restart'], box.home))
    t.not((await box.server()).pid, next.pid)
    t.equal((await box.service(at, 'job')).pid, service.pid)
    t.equal(Object.values(jobsOf(it)).filter(({ pid }) => pid !== null).length, 1, 'the others are over')
    await box.ok(['server', 'shutdown'], { env })
  },
  { skip: unlike },
)

on(
  'darwin',
  'does not use launchd before macOS 27',
  async (t, machine) => {
    for (const release of ['', '25.6.0']) {
      const it = mac(machine, release)
      const { box } = it
      apart(t, it)
      const at = box.project('shop', shop)
      const app = await terminal(it, ['up', '--detach'], at)
      const { pid } = await box.server()
      t.strictSame(asked(it), ['launchd'])
      t.match(await jobCheck(it), { status: 'skip' })

      t.comment('the stand-in for an app does end what it has started')
      await quit(app)
      t.notOk(processList.isAlive(pid))
    }
  },
  { skip: unlike },
)

on('darwin', 'starts the daemon directly when launchd does not', async (t, machine) => {
  const it = mac(machine, '27.0.0')
  const { box, env } = it
  const started = async (environment: Readonly<Record<string, string>>) => {
    const { stderr } = await box.ok(['server', 'start'], { env: environment })
    t.match(await jobCheck(it), { status: 'warn', summary: /quits$/, fix: /Login Items.*server install/ })
    await box.ok(['server', 'shutdown'], { env })
    return stderr
  }
  // On a busy machine that may exceed a second, and is then reported.
  const warning = /^(?:Waiting for launchd.*\nWarning: launchd did not start the daemon: .*\n)?$/
  for (const file of ['launchd.fails', 'launchd.headless']) {
    t.comment(file)
    box.write(join(box.home, file), '')
    t.match(await started(env), warning)
    t.match(asked(it).at(-1), 'bootstrap gui/')
    t.same(jobsOf(it), {})
    await box.spawn(['rm', join(box.home, file)]).done
  }
  if (!existsSync('/bin/launchctl')) {
    t.comment('no launchctl')
    t.match(await started({ LOCALD_PLATFORM_RELEASE: '27.0.0' }), warning)
  }

  t.comment('a control character, which a property list cannot hold')
  t.match(await started({ ...env, LC_ODD: 'a\u0001b' }), warning)

  t.comment('slowly')
  for (const file of ['launchd.fails', 'launchd.slow']) box.write(join(box.home, file), '')
  t.match(
    await started(env),
    /^Waiting for launchd to start the daemon\nWarning: launchd did not start the daemon: Bootstrap failed: 5: .*; started without launchd, it stops with the app/,
  )
})

on('darwin', 'reports why the daemon failed to start, also under launchd', async (t, machine) => {
  const it = mac(machine, '27.0.0')
  const { box, env } = it
  const native = join(box.home, 'broken')
  box.write(join(native, 'locald-keeper'), '#!/bin/sh\necho "dyld: Library not loaded"\nexit 3\n', 0o755)
  const began = Date.now()
  // It is not waited for that long.
  const limits = { LOCALD_NATIVE: native, LOCALD_START_TIMEOUT: '50' }
  const ran = await box.run(['server', 'start'], { env: { ...env, ...limits } })
  t.match(ran, {
    code: 1,
    stderr: /^Error: the daemon failed to start: exited with code 3.*\n {2}\| dyld: Library not loaded$/m,
  })
  t.ok(Date.now() - began < 40_000, 'at once')
  t.equal(jobsOf(it)[labels(it)[0] ?? '']?.exit, 3)
})

on(
  'darwin',
  'the job has the environment and the umask of its caller',
  async (t, machine) => {
    const it = mac(machine, '27.0.0')
    const { box, env } = it
    const folder = join(box.home, 'Library/Application Support/locald/sandboxes', box.name, 'data', 'launch-jobs')
    const old = join(folder, 'old.plist')
    box.write(old, '')
    chmodSync(folder, 0o700)
    utimesSync(old, 1, 1)
    const start = ['sh', '-c', 'umask 027; exec "$@"', 'sh', process.execPath, box.main, 'server', 'start']
    const ran = await box.spawn(start, { env: { ...env, https_proxy: 'http://a&<b>@c', PGHOST: 'elsewhere' } }).done
    t.equal(ran.code, 0, ran.stderr)
    const { pid } = await box.server()
    t.equal(jobsOf(it)[labels(it)[0] ?? '']?.pid, pid)
    const given = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    t.ok(given.includes('https_proxy=http://a&<b>@c'))
    t.ok(given.includes(`PATH=${env['PATH']}`))
    t.notOk(
      given.some(word => word.startsWith('PGHOST=')),
      'nor what a daemon does not get otherwise',
    )
    t.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Umask:\t0027$/m)
    t.equal(statSync(folder).mode & 0o777, 0o700)
    t.strictSame(readdirSync(folder), [], 'neither its file nor an old one')
  },
  { skip: unlike },
)

on('darwin', 'after server install the agent starts the daemon, until server uninstall', async (t, machine) => {
  const it = mac(machine, '27.0.0')
  const { box, env } = it
  t.teardown(() => box.run(['server', 'uninstall'], { env }))
  const at = box.project('shop', shop)
  await box.up(at, [], { env })
  const { pid } = await box.service(at, 'job')
  await box.ok(['server', 'install'], { env })
  t.equal((await box.server()).pid, jobsOf(it)[it.gui]?.pid)
  const before = asked(it).filter(words => words.startsWith('bootstrap')).length
  await box.ok(['server', 'restart'], { env })
  t.equal((await box.server()).pid, jobsOf(it)[it.gui]?.pid)
  t.equal(asked(it).filter(words => words.startsWith('bootstrap')).length, before)
  t.match(await jobCheck(it), { status: 'pass' })
  await box.ok(['server', 'uninstall'], { env })
  const running = Object.entries(jobsOf(it)).filter(([, job]) => job.pid !== null)
  t.match(running[0]?.[0], /\/dev\.locald\.run\./)
  t.equal((await box.server()).pid, running[0]?.[1].pid)
  t.equal((await box.service(at, 'job')).pid, pid)
})

on('darwin', 'concurrent commands start one daemon through launchd', async (t, machine) => {
  const it = mac(machine, '27.0.0')
  const { box, env } = it
  const ran = await Promise.all([1, 2, 3].map(() => box.run(['server', 'start'], { env })))
  for (const { code, stderr } of ran) {
    t.equal(code, 0)
    t.match(stderr, /^(?:Waiting for launchd to start the daemon\n)?$/)
  }
  const { pid } = await box.server()
  const jobs = await until('the end of the others', () => {
    const all = Object.values(jobsOf(it))
    return all.filter(job => job.pid !== null).length === 1 && all
  })
  t.ok(jobs.some(job => job.pid === pid))
  for (const { exit } of jobs.filter(job => job.pid === null)) t.equal(exit, 0)
})

on('darwin', 'during a login, when launchd starts no agents, the job is started', async (t, machine) => {
  const it = mac(machine, '27.0.0')
  const { box, env } = it
  box.write(join(box.home, 'launchd.ondemand'), '')
  await box.ok(['server', 'start'], { env })
  t.equal((await box.server()).pid, Object.values(jobsOf(it))[0]?.pid)
  t.equal(Object.keys(jobsOf(it)).length, 1)
})
