import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { qemuVariables } from '../../../plugins/container-lima/kvm.ts'
import { excessOf, limaHomeOf } from '../../../plugins/container-lima/lima-home.ts'
import { Limactl } from '../../../plugins/container-lima/limactl.ts'
import { causeOf } from '../../../plugins/container-lima/limactl-log.ts'
import { readOptions } from '../../../plugins/container-lima/options.ts'
import { AgentLog, readEvent } from '../../../plugins/container-lima/vm/agent-log.ts'
import {
  findInstance,
  isRecent,
  readCauses,
  readInfo,
  readVersion,
} from '../../../plugins/container-lima/vm/instance-info.ts'
import { readLastMessages } from '../../../plugins/container-lima/vm/last-messages.ts'
import { baseHash, settingsHash, writeTemplate } from '../../../plugins/container-lima/vm/template.ts'
import { VmUsage } from '../../../plugins/container-lima/vm/vm-usage.ts'

t.test('the options have defaults, and their times and folders are read', async t => {
  t.match(readOptions({}, '/home/u'), {
    cpus: 2,
    memory: '2GiB',
    disk: '40GiB',
    idleStopMs: 900_000,
    startMs: 600_000,
    mounts: [],
  })
  const given = {
    idle_stop: 0,
    start_timeout: '1.5h',
    mounts: ['~/code/', '/srv/x:ro', '~', '/a:b:rw'],
    template: '~/t.yaml',
  }
  t.match(readOptions(given, '/home/u'), {
    ...{ idleStopMs: 0, startMs: 5_400_000, template: '/home/u/t.yaml' },
    mounts: [
      { path: '/home/u/code', isWritable: true },
      { path: '/srv/x', isWritable: false },
      { path: '/home/u', isWritable: true },
      { path: '/a:b', isWritable: true },
    ],
  })
})

t.test('LIMA_HOME is short, and one for each data folder', async t => {
  const of = (data: string, env = {}) => limaHomeOf({ home: '/Users/u', folders: { data }, env })
  t.equal(of('/Users/u/Library/Application Support/locald'), '/Users/u/.locald/lima')
  t.equal(of('/Users/u/.local/share/locald'), '/Users/u/.locald/lima')
  const sandbox = of('/Users/u/Library/Application Support/locald/sandboxes/a/data')
  t.match(sandbox, /^\/Users\/u\/\.locald\/lima-[0-9a-f]{8}$/)
  t.not(sandbox, of('/Users/u/Library/Application Support/locald/sandboxes/b/data'))
  t.equal(of('/x', { LOCALD_LIMA_HOME: '/l' }), '/l')
  t.equal(of('/Users/u/.local/share/locald', { LOCALD_LIMA_HOME: 'l' }), '/Users/u/.locald/lima', 'absolute only')
  const longestUser = 'u'.repeat(32)
  t.ok(excessOf(`/Users/${longestUser}/.locald/lima-01234567`, 'darwin') <= 0, 'the longest user name of a Mac')
  // 104 with the NUL: a LIMA_HOME of 70 bytes fits, as the sockets in it add 33.
  t.equal(excessOf(`/${'x'.repeat(69)}`, 'darwin'), 0)
  t.equal(excessOf(`/${'x'.repeat(73)}`, 'linux'), 0)
  t.equal(excessOf(`/${'x'.repeat(74)}`, 'linux'), 1)
})

t.test('the template says what the VM is', async t => {
  const template: unknown = parse(writeTemplate(readOptions({ cpus: 3, mounts: ['/a "b":ro'] }, '/')))
  t.match(template, {
    minimumLimaVersion: '2.0.0',
    base: ['template:_images/ubuntu-24.04'],
    ...{ cpus: 3, memory: '2GiB', disk: '40GiB', mounts: [{ location: '/a "b"', writable: false }] },
    containerd: { user: true, system: false },
    ssh: { loadDotSSHPubKeys: false, overVsock: false },
    hostResolver: { hosts: { 'host.docker.internal': 'host.lima.internal' } },
    portForwards: [
      { guestIP: '127.0.0.1', guestPortRange: [1024, 65535], hostIP: '127.0.0.1', proto: 'tcp' },
      { guestIP: '0.0.0.0', guestIPMustBeZero: false, ignore: true },
    ],
    probes: [{ script: /^#!\/bin\/sh\n.*lima-guestagent\.sock/ }],
    provision: [{ mode: 'system', script: /^#!\/bin\/sh\n[\s\S]*MaxSessions 512/ }],
    message: '',
  })
  const own: unknown = parse(writeTemplate(readOptions({ template: '/t.yaml' }, '/')))
  t.match(own, { base: ['/t.yaml'] })
  t.notMatch(own, { containerd: {} }, 'the template has the engine')
  const [usual, more, other] = [{}, { memory: '4GiB' }, { template: '/t.yaml' }].map(options =>
    readOptions(options, '/'),
  )
  if (usual === undefined || more === undefined || other === undefined) throw new Error('no options')
  t.equal(baseHash(usual), baseHash(more))
  t.not(settingsHash(usual), settingsHash(more))
  t.not(baseHash(usual), baseHash(other))
  t.notMatch(template, { vmOpts: {} })
  const slow = readOptions({ allow_slow: true }, '/')
  t.match(parse(writeTemplate(slow)), { vmOpts: { qemu: { cpuType: { x86_64: 'max' } } } })
  t.not(settingsHash(usual), settingsHash(slow))
})

t.test('the command lines of limactl', async t => {
  const limactl = new Limactl('/bin/limactl', '/l', {
    PATH: '/p',
    LIMA_HOME: '/other',
    LIMA_INSTANCE: 'x',
    LIMA_SSH_PORT_FORWARDER: 'true',
  })
  t.strictSame(limactl.argv('list', '--json'), [
    '/bin/limactl',
    '--tty=false',
    '--log-format',
    'json',
    'list',
    '--json',
  ])
  t.strictSame(limactl.shellArgv(['nerdctl', 'ps']), [
    ...['/bin/limactl', '--tty=false', 'shell', '--workdir', '/', 'locald', 'nerdctl', 'ps'],
  ])
  t.strictSame(limactl.env, { PATH: '/p', LIMA_HOME: '/l', LIMA_SSH_PORT_FORWARDER: 'true' })
  const missing = await new Limactl('/no/such/limactl', '/l', {}).run(['info'], { timeoutMs: 1000 })
  t.match(missing, { code: null, failure: /ENOENT/ })
  const stop = new AbortController()
  const sleeping = new Limactl('/bin/sleep', '/l', {}).shell([], { timeoutMs: 10_000, signal: stop.signal })
  stop.abort()
  t.match(await sleeping, { code: null, failure: 'cancelled' })
})

t.test('without access to KVM, QEMU emulates', async t => {
  t.match(qemuVariables('forbidden', {}), { QEMU_SYSTEM_X86_64: /^qemu-system-x86_64 .*-accel tcg/ })
  t.strictSame(qemuVariables('forbidden', { QEMU_SYSTEM_X86_64: 'mine' }), {})
  t.strictSame(qemuVariables('usable', {}), {})
  t.strictSame(qemuVariables('missing', {}), {}, 'Lima emulates already')
  const patience = (options: object) => readOptions(options, '/').patience
  t.strictSame(
    [{}, { start_timeout: '5m' }, { start_timeout: '35m' }, { allow_slow: true }].map(patience),
    [1, 1, 3.5, 10],
  )
})

t.test('reads what limactl prints', async t => {
  t.equal(readVersion('limactl version 2.2.0-153-g183a60d\n'), '2.2.0-153-g183a60d')
  t.equal(readVersion('something else'), undefined)
  t.strictSame(['1.2.1', '2.0.0', '2.2.0-153-g183a60d', '10.0.0', 'HEAD-183a60d'].map(isRecent), [
    false,
    true,
    true,
    true,
    true,
  ])
  t.equal(findInstance(''), undefined)
  const lines = [
    { name: 'other', status: 'Running' },
    { name: 'locald', status: 'Broken', dir: '/l/locald', hostAgentPID: 0, driverPID: 7, errors: [], future: { x: 1 } },
  ].map(each => JSON.stringify(each))
  t.strictSame(findInstance(`${lines.join('\n')}\n`), {
    ...{
      status: 'Broken',
      dir: '/l/locald',
      agentPid: undefined,
      driverPid: 7,
      errors: [],
      limaVersion: undefined,
      hasConfig: false,
    },
  })
  const warning = 'time="2026-01-01T00:00:00Z" level=warning msg="instance `locald` has errors" errors="[a is not]"'
  t.strictSame(readCauses(`${warning}\n${warning.replace('`locald`', '`x`')}\n`), ['a is not'])
  t.strictSame(readInfo('{"version":"2.2.0","vmTypes":["vz"],"hostArch":"aarch64"}'), {
    ...{ version: '2.2.0', vmTypes: ['vz'], hostArch: 'aarch64' },
  })
  t.equal(readInfo('no JSON'), undefined)
  const stderr = '{"level":"info","msg":"a"}\n{"level":"error","msg":"b","error":"c"}\n{"level":"fatal","msg":"d"}\n'
  t.equal(causeOf(stderr), 'd')
  t.equal(causeOf('{"level":"error","msg":"[hostagent] b","error":"c"}\n'), 'b: c')
  t.equal(causeOf('limactl: must not run as the root user\n'), 'limactl: must not run as the root user')
})

t.test('follows the events of a start, and those of the next one', async t => {
  const dir = t.testdir()
  const log = new AgentLog(dir)
  t.strictSame(await log.read(), [], 'there is no file yet')
  const file = join(dir, 'ha.stdout.log')
  const event = (status: object) => `${JSON.stringify({ time: '2026-08-21T18:27:58+09:00', status })}\n`
  const port = (type: string, extra = {}) =>
    event({ running: true, portForward: { type, hostAddr: '127.0.0.1:20001', ...extra } })
  writeFileSync(file, event({ sshLocalPort: 1 }) + event({ running: true }).slice(0, 20))
  t.equal((await log.read()).length, 1, 'half a line waits')
  t.equal(log.last?.isRunning, false)
  appendFileSync(file, event({ running: true }).slice(20) + port('forwarding'))
  const [together, again] = await Promise.all([log.read(), log.read()])
  t.strictSame([together?.length, again?.length], [2, 0], 'each event once')
  t.match(log.port(20001), { type: 'forwarding' })
  appendFileSync(
    join(dir, 'ha.stderr.log'),
    '{"level":"warning","msg":"failed to listen tcp: 127.0.0.1:20001","error":"bind: address already in use"}\n',
  )
  await log.read()
  t.match(log.port(20001), { type: 'failed', error: 'address already in use' })
  log.forget(20001)
  t.equal(log.port(20001), undefined)
  appendFileSync(file, port('forwarding') + port('stopping'))
  await log.read()
  t.equal(log.port(20001), undefined)
  writeFileSync(`${file}.new`, event({ running: true, degraded: true, errors: ['x'] }) + port('failed', { error: 'y' }))
  renameSync(`${file}.new`, file)
  await log.read()
  t.match(log.port(20001), { type: 'failed', error: 'y' })
  t.equal(log.last?.isDegraded, false)
  t.equal(readEvent('no JSON'), undefined)
  t.equal(readEvent('{"status":{}}'), undefined, 'without a time')
})

t.test('an unused VM is reported after its time, and not while it is used', async t => {
  const timers: { run: () => void; ms: number; isStopped: boolean }[] = []
  let idle = 0
  const usage = new VmUsage(
    900,
    () => idle++,
    (run, ms) => {
      const timer = { run, ms, isStopped: false }
      timers.push(timer)
      return () => {
        timer.isStopped = true
      }
    },
  )
  usage.watch()
  t.match(timers, [{ ms: 900, isStopped: false }])
  const [first, second] = [usage.hold('shop:cache'), usage.hold('shop:cache')]
  t.equal(timers[0]?.isStopped, true)
  first()
  first()
  t.strictSame(usage.services, ['shop:cache'], 'given back once')
  t.equal(timers.length, 1)
  second()
  t.equal(timers.length, 2)
  timers[1]?.run()
  t.equal(idle, 1)
  const never = new VmUsage(
    0,
    () => idle++,
    () => {
      throw new Error('a timer')
    },
  )
  never.hold('shop:cache')()
})

t.test('shows the last messages of the VM without what would change a terminal', async t => {
  const dir = t.testdir()
  t.match(await readLastMessages(dir), /has written no messages/)
  writeFileSync(
    join(dir, 'ha.stderr.log'),
    `${'{"level":"info","msg":"old"}\n'.repeat(50)}{"level":"error","msg":"last","error":"why"}\n`,
  )
  writeFileSync(join(dir, 'serial.log'), '\u001b[2J\u001b[32mLinux\u001b[0m version\u0007\n')
  const text = await readLastMessages(dir)
  t.match(text, /ha\.stderr\.log:\n( {2}info: old\n){39} {2}error: last: why\n.*serial\.log:\n {2}Linux version$/)
})
