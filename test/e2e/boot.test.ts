/**
 * `locald server install`: by launchd, for which test/e2e/launchctl.py stands; what systemd makes of it shows `npm run
 * test:vm`.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { DoctorAnswer } from '../../kernel/protocol.ts'
import { until } from '../lib/running.ts'
import { jobsOf, launchctl, throttleS, type WithLaunchd, withLaunchd } from './launchd.ts'
import { on } from './suite.ts'

const shop = {
  'locald.toml': '[project]\nname = "shop"\n[services.job]\ntype = "worker"\ncommand = "exec sleep 100005"\n',
}

/** The daemon is launchd's; its pid. */
async function isByLaunchd(t: Test, it: WithLaunchd, target = it.gui): Promise<number> {
  const { pid } = await it.box.server()
  t.equal(pid, jobsOf(it)[target]?.pid, 'the daemon is the one that launchd started')
  return pid
}

/** Undoes the installation at the end of a test, so that launchd starts no other daemon. */
async function installed(t: Test, it: WithLaunchd): Promise<void> {
  t.teardown(() => it.box.run(['server', 'uninstall'], { env: it.env }))
  await it.box.ok(['server', 'install'], { env: it.env })
}

on(
  'darwin',
  'server install lets launchd start the daemon until server uninstall; services keep running',
  async (t, machine) => {
    const it = withLaunchd(machine)
    const { box, env, file } = it
    const folder = box.project('shop', shop)
    await box.up(folder, [], { env })
    const { pid } = await box.service(folder, 'job')
    const install = async () => JSON.parse((await box.ok(['server', 'install', '--json'], { env })).stdout)
    const first = await install()
    t.match(first, { file, hint: /System Settings › General › Login Items/ })
    t.equal(first.pid, await isByLaunchd(t, it))
    t.match(await launchctl(it, 'print', it.gui), 'state = running')
    const text = readFileSync(file, 'utf8')
    t.notMatch(text, 'LimitLoadToSessionType')
    t.match(text, /<key>LANG<\/key>\s*<string>C\.UTF-8</, 'which launchd does not give')
    t.notMatch(text, 'TMPDIR')
    t.equal((await box.service(folder, 'job')).pid, pid)

    t.comment('again, twice: bootout returns before the job is removed')
    for (const round of [1, 2]) {
      await install()
      t.equal(readFileSync(file, 'utf8'), text, `round ${round}`)
      await isByLaunchd(t, it)
    }
    t.equal((await box.service(folder, 'job')).pid, pid, 'services were left alone')

    t.comment('restarted, then shut down and needed')
    const before = (await box.server()).pid
    await box.ok(['server', 'restart'], { env })
    t.not(await isByLaunchd(t, it), before)
    t.equal((await box.service(folder, 'job')).pid, pid, 'services were left alone')
    t.match((await box.ok(['server', 'shutdown', '--pid', '1'], { env })).stdout, 'No daemon with pid 1 is running')
    await box.ok(['server', 'shutdown'], { env })
    await box.ok(['server', 'start'], { env })
    await isByLaunchd(t, it)

    await box.up(folder, [], { env })
    const next = await box.service(folder, 'job')
    t.equal((await box.ok(['server', 'uninstall'], { env })).stdout, `Removed ${file}\n`)
    t.notOk(existsSync(file))
    t.same(jobsOf(it), {}, 'launchd has nothing of it')
    t.equal((await box.service(folder, 'job')).pid, next.pid, 'another daemon has adopted it')
    t.equal((await box.ok(['server', 'uninstall'], { env })).stdout, 'Nothing is installed\n')
  },
)

on('darwin', 'the agent has the PATH of the shell that installed it', async (t, machine) => {
  const it = withLaunchd(machine)
  const { box, env } = it
  box.write(
    join(box.home, 'shop', 'locald.toml'),
    `${shop['locald.toml']}[services.path]\ntype = "worker"\ncommand = "echo $PATH; exec sleep 100006"\n`,
  )
  await installed(t, it)
  // Without a PATH of its own, so that services get the daemon's.
  const folder = join(box.home, 'shop')
  await box.up(folder, ['path'], { env })
  await until('its PATH', async () =>
    (await box.logs(folder, ['path'])).some(({ text }) => text.startsWith(`${env['PATH']}`)),
  )
  await isByLaunchd(t, it)
})

on('darwin', 'a refusal of launchd is reported, and the agent is removed again', async (t, machine) => {
  const it = withLaunchd(machine)
  const { box, env, file } = it
  const folder = box.project('shop', shop)
  await box.up(folder, [], { env })
  const { pid } = await box.service(folder, 'job')
  const fails = join(box.home, 'launchd.fails')
  box.write(fails, '5')
  t.match(await box.run(['server', 'install'], { env }), {
    code: 1,
    stderr:
      /Waiting for launchd to load the daemon\n[\s\S]*Error: `launchctl bootstrap gui\/\d+ .*` failed: Bootstrap failed: 5: [\s\S]* \[STEP_FAILED\]\nHint: .*Login Items/,
  })
  t.notOk(existsSync(file))
  t.equal((await box.service(folder, 'job')).pid, pid)

  t.comment('the same over an earlier installation: nothing of it stays')
  rmSync(fails)
  await box.ok(['server', 'install'], { env })
  // Which is not tried again.
  box.write(fails, '125')
  t.match(await box.run(['server', 'install'], { env }), { code: 1, stderr: /Bootstrap failed: 125/ })
  t.notOk(existsSync(file))
  t.same(jobsOf(it), {})
  t.equal((await box.ok(['server', 'uninstall'], { env })).stdout, 'Nothing is installed\n')
  t.equal((await box.service(folder, 'job')).pid, pid)

  rmSync(fails)
  rmSync(join(box.home, 'Library', 'LaunchAgents'), { recursive: true, force: true })
  box.write(join(box.home, 'Library', 'LaunchAgents'), 'a file')
  t.match(await box.run(['server', 'install'], { env }), { code: 1, stderr: /changing .* failed: .*PATHS_UNUSABLE/ })
  t.equal((await box.service(folder, 'job')).pid, pid)

  t.comment('a service manager that is missing does not keep the daemon from being started')
  rmSync(join(box.home, 'Library', 'LaunchAgents'))
  await box.ok(['server', 'install'], { env })
  await box.ok(['server', 'shutdown'], { env })
  t.match(await box.ok(['server', 'start']), { stderr: /Warning: `launchctl kickstart .*` failed: .*ENOENT/ })
  await box.ok(['server', 'shutdown'])
  await box.ok(['server', 'uninstall'], { env })
})

on(
  'darwin',
  'over ssh the agent is in the background session until someone logs in at the screen',
  async (t, machine) => {
    const it = withLaunchd(machine)
    const { box, env, file } = it
    box.write(join(box.home, 'launchd.headless'), '')
    const { stderr } = await box.ok(['server', 'install'], { env })
    t.match(stderr, /^Hint: No one is logged in at the screen/m)
    await isByLaunchd(t, it, it.user)
    t.match(
      readFileSync(file, 'utf8'),
      /LimitLoadToSessionType<\/key>\s*<array>\s*<string>Aqua<\/string>\s*<string>Background</,
    )
    await box.ok(['server', 'install'], { env })
    await box.ok(['server', 'restart'], { env })
    await isByLaunchd(t, it, it.user)

    t.comment('the Mac is restarted, and the user logs in at the screen')
    await launchctl(it, 'bootout', it.user)
    await until('its end', async () => (await box.run(['ping'])).code !== 0)
    rmSync(join(box.home, 'launchd.headless'))
    await launchctl(it, 'bootstrap', it.gui.split('/').slice(0, 2).join('/'), file)
    await until('the daemon', async () => (await box.run(['ping'])).code === 0)
    await isByLaunchd(t, it)
    await box.ok(['server', 'shutdown'], { env })
    await box.ok(['server', 'start'], { env })
    await isByLaunchd(t, it)
    await box.ok(['server', 'uninstall'], { env })
    t.same(jobsOf(it), {})
  },
)

on('darwin', 'during a login, when launchd starts no agents, the daemon starts without it', async (t, machine) => {
  const it = withLaunchd(machine)
  it.box.write(join(it.box.home, 'launchd.ondemand'), '')
  await installed(t, it)
  await isByLaunchd(t, it)
})

on('darwin', 'launchd restarts a killed daemon, and commands wait for it', async (t, machine) => {
  // Long enough for the kill to come before it, also on a busy machine: s.
  const it = withLaunchd(machine, 3)
  const { box, env } = it
  const folder = box.project('shop', shop)
  await installed(t, it)
  await box.up(folder, [], { env })
  const { pid } = await box.service(folder, 'job')
  await box.ok(['server', 'restart'], { env })
  const killed = await isByLaunchd(t, it)
  process.kill(killed, 'SIGKILL')
  const { stderr } = await box.ok(['server', 'start'], { env })
  t.match(stderr, /^Waiting for launchd to start the daemon$/m, 'launchd holds it back')
  t.not(await isByLaunchd(t, it), killed)
  t.equal((await box.service(folder, 'job')).pid, pid)
})

on('darwin', 'an agent that finds a running daemon exits with success and is not restarted', async (t, machine) => {
  const it = withLaunchd(machine)
  const { box, env } = it
  await installed(t, it)
  const boot = join(box.home, 'Library', 'Application Support', 'locald', 'sandboxes', box.name, 'data', 'boot.json')
  renameSync(boot, `${boot}.away`)
  await box.ok(['server', 'shutdown'], { env })
  await box.ok(['server', 'start'], { env })
  renameSync(`${boot}.away`, boot)
  const { pid } = await box.server()
  const runs = jobsOf(it)[it.gui]?.runs ?? 0
  await launchctl(it, 'kickstart', it.gui)
  const stopped = await until('its end', () => {
    const job = jobsOf(it)[it.gui]
    return job !== undefined && job.pid === null && job.runs > runs && job
  })
  t.equal(stopped.exit, 0)
  // That nothing happens is the point: launchd would start it again after the throttle.
  await new Promise(resolve => setTimeout(resolve, throttleS * 3000))
  t.equal(jobsOf(it)[it.gui]?.runs, runs + 1)
  t.equal((await box.server()).pid, pid)
})

on('darwin', 'doctor reports an agent whose programs were moved, and one that is not loaded', async (t, machine) => {
  const it = withLaunchd(machine)
  const { box, env, file } = it
  const look = async () => {
    const { checks }: DoctorAnswer = JSON.parse((await box.run(['doctor', '--json'], { env })).stdout)
    return checks.find(({ id }) => id === 'launch-agent')
  }
  await box.ok(['server', 'start'], { env })
  t.match(await look(), { status: 'skip' })
  await installed(t, it)
  t.match(await look(), { status: 'pass', summary: /launchd has dev\.locald\.\S+ loaded \(gui\/\d+\)/ })

  const text = readFileSync(file, 'utf8')
  box.write(file, text.replace(/<string>([^<]*\/node)<\/string>/, '<string>/opt/v20 &amp; 1/bin/node</string>'))
  const fix = 'Run `locald server install`.'
  t.match(await look(), {
    status: 'warn',
    summary: 'the launch agent starts /opt/v20 & 1/bin/node, which cannot be run',
    fix,
  })
  box.write(file, text.replace('daemon.js</string>', 'deleted/daemon.js</string>'))
  t.match(await look(), { status: 'warn', summary: /deleted\/daemon\.js, which cannot be run/, fix })
  box.write(file, text)

  await launchctl(it, 'bootout', it.gui)
  await until('its removal', () =>
    launchctl(it, 'print', it.gui).then(
      () => false,
      () => true,
    ),
  )
  t.match(await look(), { status: 'warn', summary: /launchd does not have dev\.locald\S+ loaded/, fix })
  await launchctl(it, 'disable', it.gui)
  t.match(await look(), { status: 'warn', summary: /is disabled in launchd/, fix: /Login Items/ })
  await box.ok(['server', 'install'], { env })
  t.match(await look(), { status: 'pass' }, 'an installation enables it again')
})

on(
  'linux',
  'without systemd, server install fails with an alternative',
  async (t, machine) => {
    const box = machine.sandbox()
    for (const verb of ['install', 'uninstall']) {
      t.match(await box.run(['server', verb]), {
        code: 1,
        stderr:
          /^Error: the daemon cannot be started with the machine: systemd .* \[FEATURE_OFF\]\nHint: .*`locald server start`/,
      })
    }
    t.notOk(existsSync(join(box.home, 'config', 'systemd')))
  },
  existsSync('/run/systemd/system') ? { skip: 'systemd runs here' } : {},
)
