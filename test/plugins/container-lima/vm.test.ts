import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LocaldError } from '../../../kernel/errors.ts'
import { bootLima, type LimaTest } from './harness.ts'

/** The error of an `up` that fails. */
async function failure(lima: LimaTest): Promise<LocaldError> {
  const error: unknown = await lima.up().then(
    () => new Error('it is up'),
    (reason: unknown) => reason,
  )
  if (LocaldError.is(error)) return error
  throw error
}

t.test('ten starts at once create one VM, with steps for each', async t => {
  const lima = await bootLima(t)
  t.match(await lima.source.look(), { state: 'startable', version: '2.2.0', detail: 'VM not created' })
  t.strictSame(lima.calls(), [], 'looking starts nothing')
  const engines = await Promise.all(Array.from({ length: 10 }, () => lima.up()))
  t.strictSame(lima.calls(), ['create', 'start'])
  t.match(engines[9], {
    name: 'lima',
    dialect: 'nerdctl',
    version: '2.3.5',
    isNative: false,
    hostName: 'host.docker.internal',
  })
  for (const step of ['creating the VM', 'starting the VM'])
    t.equal(lima.steps.filter(each => each.startsWith(step)).length >= 10, true, step)
  t.match(await lima.source.look(), { state: 'running', detail: 'VM running, with nerdctl 2.3.5' })
  await lima.up()
  t.strictSame(lima.calls(), ['create', 'start'], 'nothing more for a VM that runs')
  t.equal(statSync(lima.home).mode & 0o777, 0o700)
})

t.test('a caller that leaves does not cancel the start for the others', async t => {
  const lima = await bootLima(t)
  const leaving = new AbortController()
  const left = lima.up(leaving.signal)
  const other = lima.up()
  leaving.abort(new Error('left'))
  await t.rejects(left, { message: 'left' })
  await other
  t.strictSame(lima.calls(), ['create', 'start'])
})

t.test('adopts a VM that runs, and one that is still starting', async t => {
  const first = await bootLima(t)
  await first.up()
  const second = await bootLima(t, { env: { LOCALD_LIMA_HOME: first.home } })
  await second.up()
  t.strictSame(first.calls(), ['create', 'start'])
  const log = join(first.dir, 'ha.stdout.log')
  const events = readFileSync(log, 'utf8')
  writeFileSync(log, `${JSON.stringify({ time: new Date().toISOString(), status: { sshLocalPort: 1 } })}\n`)
  const third = await bootLima(t, { env: { LOCALD_LIMA_HOME: first.home } })
  const up = third.up()
  while (!third.steps.includes('waiting for the VM, which is starting')) await new Promise(wake => setTimeout(wake, 10))
  writeFileSync(log, events, { flag: 'a' })
  await up
  t.strictSame(first.calls(), ['create', 'start'])
})

t.test('a start that Lima does not finish is an error of its own, and the next start works', async t => {
  const cases = [
    {
      fault: 'broken-orphan',
      message: /^Lima: starting the VM failed: host agent process has exited/,
      hint: /locald vm logs/,
    },
    {
      fault: 'degraded',
      message: /started degraded.*failed to satisfy the essential requirement 2/,
      hint: /ha\.stderr\.log/,
    },
    { fault: 'timeout', message: /^Lima: the VM did not start in time$/, hint: /serial\.log.*start_timeout/ },
    {
      fault: 'download',
      message: /^Lima: creating the VM failed: failed to download .*no such host/,
      hint: /HTTPS_PROXY/,
    },
    { fault: 'old', message: /^Lima 1\.2\.1 is too old: locald needs 2\.0\.0 or later$/, hint: /brew upgrade lima/ },
  ] as const
  for (const { fault, message, hint } of cases) {
    await t.test(fault, async t => {
      const lima = await bootLima(t, { settings: { start_timeout: '1s' } })
      lima.order(fault)
      t.match(await failure(lima), { code: 'ENGINE_FAILED', message, hint })
      lima.order()
      const engine = await lima.up()
      t.equal(engine.dialect, 'nerdctl')
      t.equal(lima.calls().filter(call => call === 'create').length, 1)
      if (fault === 'broken-orphan') t.ok(lima.calls().includes('stop --force'))
      if (fault === 'degraded') t.strictSame(lima.calls(), ['create', 'start', 'stop', 'start'])
      if (fault === 'timeout') t.strictSame(lima.calls(), ['create', 'start', 'stop --force', 'start'])
    })
  }
})

t.test('a limactl that hangs is killed after its time, and the next start works', async t => {
  const lima = await bootLima(t, { settings: { start_timeout: '2s' }, graceMs: 0 })
  lima.order('hang')
  t.match(await failure(lima), {
    code: 'ENGINE_FAILED',
    message: /starting the VM did not finish within .* limactl hangs/,
    hint: /locald vm logs/,
  })
  lima.order()
  await lima.up()
})

t.test('a VM whose host agent crashed is stopped and started', async t => {
  const lima = await bootLima(t)
  await lima.up()
  const [agent, driver] = [lima.pid('ha.pid'), lima.pid('qemu.pid')]
  if (agent === undefined || driver === undefined) throw new Error('the VM has no processes')
  process.kill(agent, 'SIGKILL')
  while (lima.pid('ha.pid') !== undefined) await new Promise(wake => setTimeout(wake, 10))
  await lima.up()
  t.strictSame(lima.calls(), ['create', 'start', 'stop --force', 'start'])
  t.not(lima.pid('qemu.pid'), driver)
  t.ok(lima.steps.includes('stopping the rest of a VM that has crashed'))
})

t.test('a VM that crashed is broken, with its cause, and starts again', async t => {
  const lima = await bootLima(t)
  await lima.up()
  process.kill(lima.pid('ha.pid') ?? 0, 'SIGKILL')
  while (lima.pid('ha.pid') !== undefined) await new Promise(wake => setTimeout(wake, 10))
  t.match(await lima.kernel.command('vm', 'status'), {
    data: { state: 'broken', problems: 'qemu driver is running but host agent is not' },
  })
  await lima.kernel.command('vm', 'stop')
  t.strictSame(lima.calls(), ['create', 'start', 'stop --force'])
})

t.test('a VM that is degraded only as its guest agent was late is used', async t => {
  const lima = await bootLima(t)
  lima.order('late-agent')
  await lima.up()
  const second = await bootLima(t, { env: { LOCALD_LIMA_HOME: lima.home } })
  await second.up()
  t.strictSame(lima.calls(), ['create', 'start'])
})

t.test('containers are stopped before the VM', async t => {
  const lima = await bootLima(t)
  const engine = await lima.up()
  const { argv, env } = engine.command(['run', '-d', '--name', 'web', 'image'])
  t.equal(spawnSync(argv[0], argv.slice(1), { env }).status, 0)
  await lima.kernel.command('vm', 'stop')
  const shells = readFileSync(join(lima.home, '_calls'), 'utf8')
    .split('\n')
    .filter(line => line.includes('stop'))
  t.match(shells[0], /nerdctl/)
  t.match(shells[1], /"stop","locald"\]$/)
  t.equal(existsSync(join(lima.dir, 'guest', 'containers', 'web')), false)
})

t.test('removes what an interrupted creation left, unless it has a disk', async t => {
  const lima = await bootLima(t)
  mkdirSync(lima.dir)
  await lima.up()
  t.strictSame(lima.calls(), ['create', 'start'])
  const other = await bootLima(t)
  mkdirSync(other.dir)
  writeFileSync(join(other.dir, 'disk'), 'data')
  t.match(await failure(other), {
    message: /has a disk, but its configuration .*lima\.yaml is missing/,
    hint: /Restore that file/,
  })
  t.ok(existsSync(join(other.dir, 'disk')))
})

t.test('a changed option waits for a restart, and never restarts a VM that runs', async t => {
  const lima = await bootLima(t)
  await lima.up()
  const changed = await bootLima(t, {
    env: { LOCALD_LIMA_HOME: lima.home },
    settings: { cpus: 4, mounts: ['/srv/x:ro'] },
  })
  await changed.up()
  t.strictSame(lima.calls(), ['create', 'start'])
  t.match(
    (await changed.kernel.command('vm', 'status')).text,
    /needs a restart to apply its options: run `locald vm stop`/,
  )
  await changed.kernel.command('vm', 'stop')
  t.match(await changed.source.look(), { state: 'startable', detail: 'VM stopped, with nerdctl 2.3.5' })
  await changed.up()
  t.equal(
    readFileSync(join(lima.dir, '_set'), 'utf8'),
    '.cpus = 4 | .memory = "2GiB" | .disk = "40GiB" | .mounts = [{"location":"/srv/x","writable":false}] | .vmOpts.qemu.cpuType.x86_64 = "max"',
  )
  t.match(await changed.kernel.command('vm', 'status'), { text: '', data: { state: 'running', pending: null } })
  rmSync(join(lima.dir, '_set'))
  await changed.kernel.command('vm', 'stop')
  await changed.up()
  t.notOk(existsSync(join(lima.dir, '_set')), 'applied once')
})
