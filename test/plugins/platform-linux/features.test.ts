import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { BootUnit } from '../../../kernel/contract/plugin.ts'
import { type PlatformFeature, platformFeatures } from '../../../plugins/lib/features.ts'
import { bootPlan, programsIn } from '../../../plugins/platform-linux/boot.ts'
import { findCgroupMethod } from '../../../plugins/platform-linux/cgroups/detect.ts'
import { machineChecks } from '../../../plugins/platform-linux/checks.ts'
import { findOpener, probes } from '../../../plugins/platform-linux/features.ts'
import type { Machine } from '../../../plugins/platform-linux/machine.ts'
import { findShim, shimConf, shimPaths } from '../../../plugins/platform-linux/shim.ts'
import { uid } from './harness.ts'

/** A machine of the test's own: files by path below its root, a PATH of one folder. */
function machineOf(
  t: Test,
  files: Readonly<Record<string, string>>,
  env: Record<string, string> = {},
  who = 1000,
): Machine {
  const root = t.testdir({ bin: {} })
  for (const [path, text] of Object.entries(files)) {
    const full = join(root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text)
    if (/\/s?bin\//.test(path)) chmodSync(full, 0o755)
  }
  return { root, env: { PATH: join(root, 'bin'), ...env }, uid: who }
}

t.test('features', async t => {
  const probe = (name: PlatformFeature, machine: Machine) => probes[name](machine)

  await t.test('are off on a bare machine, each with a reason and a hint', async t => {
    const machine = machineOf(t, {})
    for (const name of platformFeatures) {
      const state = await probe(name, machine)
      if (name === 'process-groups') t.same(state, { on: true })
      else t.match(state, { on: false, reason: /\w+ \w+/, hint: /\w+ \w+/ }, name)
    }
  })

  await t.test('containers', async t => {
    for (const engine of ['podman', 'docker', 'nerdctl']) {
      t.same(await probe('containers', machineOf(t, { [`/bin/${engine}`]: '' })), { on: true }, engine)
    }
    const machine = machineOf(t, { '/bin/podman': '' })
    chmodSync(join(machine.root, 'bin/podman'), 0o644)
    t.match(await probe('containers', machine), { on: false, hint: /command = / }, 'a file that cannot be run is none')
    t.match(await probe('containers', { ...machine, env: {} }), { on: false }, 'without any PATH')
  })

  await t.test('cgroups', async t => {
    const own = { '/proc/self/cgroup': '0::/user.slice/app\n', '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' }
    const scope = '/sys/fs/cgroup/user.slice/app'
    const delegated = machineOf(t, { ...own, [`${scope}/cgroup.procs`]: '' })
    t.same(await probe('cgroups', delegated), { on: true })
    t.same(await findCgroupMethod(delegated), { by: 'enter', folder: scope })
    t.match(await probe('cgroups', machineOf(t, own)), { on: false, reason: /user\.slice\/app is not delegated/ })
    const outside = { ...own, '/proc/self/cgroup': '0::/../x\n' }
    t.match(await probe('cgroups', machineOf(t, outside)), { on: false, reason: /outside/ })
    const hybrid = { '/sys/fs/cgroup/unified/cgroup.procs': '' }
    t.match(await probe('cgroups', machineOf(t, hybrid)), { on: false, reason: /outside/ })
    const found = { ...hybrid, '/proc/self/cgroup': '1:name=systemd:/x\n0::/a/daemon\n' }
    t.match(await probe('cgroups', machineOf(t, found)), { on: false, reason: /a\/daemon is not delegated/ })
    const base = machineOf(t, { ...found, '/sys/fs/cgroup/unified/a/cgroup.procs': '' })
    const folder = '/sys/fs/cgroup/unified/a'
    t.same(await findCgroupMethod(base), { by: 'base', folder }, 'where an earlier daemon was moved to')
    t.same(
      await findCgroupMethod(machineOf(t, { ...own, [`${folder}/cgroup.procs`]: '' })).then(method => method.by),
      'none',
    )
    const old = { '/sys/fs/cgroup/memory/tasks': '' }
    t.match(await probe('cgroups', machineOf(t, old)), { on: false, reason: /version 1/ })
  })

  await t.test('shim and what needs it', { skip: uid !== 0 && 'needs a file of root' }, async t => {
    const conf = '# who may call\nuid 10001\nuid 1000\n'
    const status = 'NoNewPrivs:\t0\nCapEff:\t0000000000000000\n'
    const hybrid = { '/sys/fs/cgroup/unified/cgroup.procs': '', '/proc/self/cgroup': '0::/session\n' }
    const machine = machineOf(t, { [shimPaths[1]]: '', [shimConf]: conf, '/proc/self/status': status, ...hybrid })
    const file = join(machine.root, shimPaths[1])
    t.match(await probe('shim', machine), { on: false, reason: /setuid/, hint: /sudo locald admin setup/ })
    chmodSync(file, 0o4777)
    t.match(await probe('shim', machine), { on: false, reason: /only root/ })
    chmodSync(file, 0o4755)
    for (const name of ['shim', 'privileged-ports', 'hosts-file', 'cgroups'] as const) {
      t.same(await probe(name, machine), { on: true }, name)
    }
    t.match(await probe('shim', { ...machine, uid: 1001 }), { on: false, reason: /not set up for this user/ })
    t.same(await probe('shim', { ...machine, uid: 0 }), { on: true }, 'root needs no list')
    writeFileSync(join(machine.root, shimConf), `${conf}# ports only\n`)
    t.match(await findShim(machine), { on: true, portsOnly: false, path: shimPaths[1] }, 'the bit says more')
    chmodSync(file, 0o755)
    t.match(await findShim(machine), { on: true, portsOnly: true })
    t.same(await probe('privileged-ports', machine), { on: true })
    for (const name of ['hosts-file', 'cgroups'] as const) t.match(await probe(name, machine), { on: false }, name)
    chmodSync(file, 0o4755)
    writeFileSync(join(machine.root, 'proc/self/status'), 'NoNewPrivs:\t1\n')
    t.match(await probe('shim', machine), { on: false, reason: /no_new_privs/ })
    t.match(await probe('hosts-file', machine), { on: false })
  })

  await t.test('privileged ports without the shim', async t => {
    const first = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
    t.same(await probe('privileged-ports', machineOf(t, { [first]: '80\n' })), { on: true })
    t.match(await probe('privileged-ports', machineOf(t, { [first]: '1024\n' })), { on: false, reason: /1024/ })
    const status = (bits: string) => ({ '/proc/self/status': `CapEff:\t${bits}\n` })
    t.same(await probe('privileged-ports', machineOf(t, status('0000000000000400'))), { on: true })
    t.match(await probe('privileged-ports', machineOf(t, status('0000000000000800'))), { on: false })
  })

  await t.test('trust store, browser, boot and virtual machines', async t => {
    t.same(await probe('trust-store', machineOf(t, { '/usr/sbin/update-ca-certificates': '' })), { on: true })
    t.same(await probe('trust-store', machineOf(t, { '/bin/trust': '' })), { on: true })

    const opener = { '/bin/xdg-open': '' }
    t.match(await probe('open-browser', machineOf(t, opener)), { on: false, reason: /display/ })
    t.match(await probe('open-browser', machineOf(t, {}, { DISPLAY: ':0' })), { on: false, hint: /xdg-utils/ })
    t.same(await probe('open-browser', machineOf(t, opener, { WAYLAND_DISPLAY: 'wayland-0' })), { on: true })
    t.same(await probe('open-browser', machineOf(t, { '/bin/wslview': '' })), { on: true })
    t.equal(await findOpener(machineOf(t, { '/bin/wslview': '', ...opener })), 'wslview')
    t.equal(await findOpener(machineOf(t, {})), 'xdg-open')

    const systemd = { '/run/systemd/system/x': '' }
    t.match(await probe('boot-service', machineOf(t, systemd)), { on: false, reason: /this user/, hint: /linger/ })
    const user = { ...systemd, '/run/user/1000/systemd/private': '' }
    t.same(await probe('boot-service', machineOf(t, user)), { on: true })
    const unit: BootUnit = {
      sandbox: 'a-1',
      run: ['/opt/my "tools" 100%/$HOME\\x/locald-keeper', 'lock', '/run/a b', '--', '/usr/bin/node'],
      shutdown: ['/usr/bin/node', "/it's/main.js", 'server', 'shutdown', '--pid='],
      env: { PATH: '/a b:/100%/$X:/line\nbreak', LOCALD_SANDBOX: 'a-1' },
      log: '/log',
    }
    const plan = await bootPlan(machineOf(t, user, { HOME: '/home/it' }), unit)
    t.match(plan, {
      file: '/home/it/.config/systemd/user/locald-a-1.service',
      start: [{ argv: ['systemctl', '--user', 'start', 'locald-a-1.service'] }],
      hint: /loginctl enable-linger/,
    })
    for (const line of [
      String.raw`Environment="PATH=/a b:/100%%/$X:/line\x0abreak"`,
      'Environment="LOCALD_SANDBOX=a-1"',
      String.raw`ExecStart=systemd-run --user --scope --quiet --collect --description=locald --property=Before=locald-a-1.service "--property=Delegate=cpu memory pids" -- "/opt/my \"tools\" 100%%/$$HOME\\x/locald-keeper" lock "/run/a b" -- /usr/bin/node`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd's own.
      'ExecStop=env /usr/bin/node "/it\'s/main.js" server shutdown --pid=${MAINPID}',
    ])
      t.ok(plan.text.split('\n').includes(line), `${line}\n${plan.text}`)
    t.same(programsIn(plan.text).programs, [unit.run[0], '/usr/bin/node'], 'what doctor looks for')
    const lingers = { ...user, [`/var/lib/systemd/linger/${userInfo().username}`]: '' }
    const config = await bootPlan(machineOf(t, lingers, { XDG_CONFIG_HOME: '/c' }), { ...unit, sandbox: undefined })
    t.match(config, { file: '/c/systemd/user/locald.service', hint: undefined })
    await t.rejects(bootPlan(machineOf(t, systemd), unit), { code: 'FEATURE_OFF', hint: /linger/ })

    t.same(await probe('vm', machineOf(t, { '/dev/kvm': '' })), { on: true })
    t.match(await probe('vm', machineOf(t, {})), { on: false, reason: /no \/dev\/kvm/ })
  })
})

t.test('checks', async t => {
  await t.test('report limits of the machine', async t => {
    const run = async (id: string, machine: Machine) =>
      machineChecks(machine)
        .find(check => check.id === id)
        ?.run()
    const limits = (files: number) =>
      `Max open files            ${files}                20000                files     \n`
    const inotify = '/proc/sys/fs/inotify/max_user_'
    const good = machineOf(t, {
      '/proc/self/stat': `7 (x) S ${'1 '.repeat(49)}\n`,
      '/proc/self/limits': limits(1024),
      [`${inotify}watches`]: '65536\n',
      [`${inotify}instances`]: '128\n',
    })
    for (const { id } of machineChecks(good).slice(0, 4)) t.match(await run(id, good), { status: 'pass' }, id)
    const bad = machineOf(t, { '/proc/self/limits': limits(256), [`${inotify}watches`]: '8192\n' })
    t.match(await run('process-table', bad), { status: 'fail', severity: 'critical', fix: /proc/ })
    t.match(await run('open-files', bad), { status: 'warn', summary: /256/, fix: /ulimit -n/ })
    t.match(await run('file-watches', bad), { status: 'warn', summary: /8192/, fix: /sysctl/ })
    t.match(await run('open-files', machineOf(t, {})), { status: 'skip' })
  })
})
