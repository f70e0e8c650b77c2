import { spawnSync } from 'node:child_process'
import { constants as access, accessSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cleanEnvironment, eachVariant, isAlive, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { until } from '../../lib/running.ts'

const { release, asan, walk, xnu } = variants()

const testProgram = buildTestProgram(ownFolder(t))

const linux = process.platform === 'linux'

const { SIGTERM, SIGKILL, SIGUSR1 } = constants.signals

/** A daemon of its own session with an empty environment, whose pid is printed. */
const daemon = `env -i setsid sh -c 'echo daemon $$; exec sleep 1000' &`

const pidsIn = (log: string, word: string) =>
  [...log.matchAll(new RegExp(`${word} (\\d+)`, 'g'))].map(found => Number(found[1]))

eachVariant(t, [asan, walk, release, xnu], (t, variant) => {
  leftovers(t, variant)
  if (linux) sessions(t, variant)
  if (linux && variant !== xnu) whole(t, variant)
  if (variant === xnu) crowded(t, variant)
})

function leftovers(t: Test, variant: Variant) {
  for (const args of [[], ['--group-only']]) {
    const mode = args.length > 0 ? ' (group only)' : ''
    keeperTest(t, variant, `main exits with success: the others run until finish${mode}`, async (t, start) => {
      const one = start(['sh', '-c', 'sh -c "echo left \\$\\$; exec sleep 1000" & sleep 0.1; exit 0'], { args })
      t.strictSame(await one.line.next('main'), { event: 'main', code: 0, signal: null, left: 1 })
      t.match(await one.line.state(), { main: { code: 0, signal: null }, left: 1 })
      const [pid = 0] = pidsIn(one.log, 'left')
      t.ok(isAlive(pid))
      one.line.send('finish')
      t.match(await one.line.next('exit'), { code: 0, signal: null })
      t.notOk(isAlive(pid))
    })

    keeperTest(t, variant, `main exits with success: the keeper waits for the others${mode}`, async (t, start) => {
      const one = start(['sh', '-c', '(sleep 0.3; echo late) & exit 0'], { args })
      await one.line.next('main')
      t.match(await one.line.next('exit'), { code: 0 })
      t.match(one.log, 'late')
    })

    keeperTest(t, variant, `main fails: the others are stopped at once${mode}`, async (t, start) => {
      const one = start(['sh', '-c', 'sh -c "echo left \\$\\$; exec sleep 1000" & sleep 0.1; exit 5'], { args })
      t.match(await one.line.next('main'), { code: 5, left: 1 })
      t.match(await one.line.next('exit'), { code: 5 })
      t.ok(pidsIn(one.log, 'left').every(pid => !isAlive(pid)))
    })
  }

  keeperTest(
    t,
    variant,
    'the service and its log survive the daemon, and another daemon connects',
    async (t, start) => {
      const one = start([testProgram, 'steps', 'one\n', 'two\n', 'three\n'])
      const { pid } = await one.line.next('started')
      await one.logged('one')
      one.line.socket.destroy()
      process.kill(Number(pid), 'SIGUSR1')
      await until('two', () => one.log.includes('two'))
      const again = await one.connect()
      t.match(await again.state(), { pid, keeper: one.process.pid, main: null, left: 0, log: { lines: 2, dropped: 0 } })
      again.send(`signal ${SIGUSR1}`)
      t.match(await again.next('exit'), { code: 0 })
      t.match(JSON.parse(readFileSync(one.exitPath, 'utf8')), { code: 0, signal: null })
      t.match(one.log, 'three')
    },
  )
}

/** Processes in sessions of their own, on every system that shows its processes. */
function crowded(t: Test, variant: Variant) {
  keeperTest(t, variant, 'finds its processes among more than it can list', async (t, start) => {
    const one = start(['sh', '-c', `${daemon} exec sleep 1000`], { env: { XNU_CROWDED: '1' } })
    await one.logged('daemon')
    await until('it is seen', async () => (await one.line.state())['left'] === 1)
    one.line.send(`stop ${SIGTERM} 10000`)
    t.match(await one.line.next('exit'), { signal: 'SIGTERM' })
    t.ok(pidsIn(one.log, 'daemon').every(pid => !isAlive(pid)))
  })
}

function sessions(t: Test, variant: Variant) {
  keeperTest(t, variant, 'counts and kills a tree of forty', async (t, start) => {
    const one = start([
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4; do setsid sleep 1000 & done; wait) & done; wait',
    ])
    await until('all there', async () => (await one.line.state())['left'] === 40)
    one.line.send(`stop ${SIGKILL} 0`)
    t.match(await one.line.next('exit'), { signal: 'SIGKILL' })
  })

  keeperTest(t, variant, 'stops an orphan that it has seen before', async (t, start, dir) => {
    const fifo = join(dir, 'fifo')
    spawnSync('mkfifo', [fifo])
    writeFileSync(join(dir, 'script'), `${daemon}\nread x <fifo\n`)
    const one = start(['sh', '-c', 'sh script & exec sleep 1000'])
    await one.logged('daemon')
    await until('both there', async () => (await one.line.state())['left'] === 2)
    writeFileSync(fifo, 'go\n')
    await until('an orphan', async () => (await one.line.state())['left'] === 1)
    one.line.send(`stop ${SIGTERM} 10000`)
    t.match(await one.line.next('exit'), { signal: 'SIGTERM' })
    t.ok(pidsIn(one.log, 'daemon').every(pid => !isAlive(pid)))
  })

  keeperTest(
    t,
    variant,
    'main exits with success: the keeper waits for a process in another session',
    async (t, start) => {
      const one = start(['sh', '-c', 'setsid sleep 1 & sleep 0.1; echo on; read x; exit 0'], {
        args: ['--tty', '80x24'],
      })
      await one.logged('on')
      t.match(await one.line.state(), { left: 1 })
      const keyboard = await one.connect()
      keyboard.socket.removeAllListeners('data')
      keyboard.send('attach 80 24')
      keyboard.socket.write('x\n')
      t.match(await one.line.next('main'), { code: 0, left: 1 })
      t.match(await one.line.next('exit'), { code: 0 })
    },
  )
}

/** Where orphans return to the keeper, none is missed. */
function whole(t: Test, variant: Variant) {
  keeperTest(t, variant, 'stops daemons in another session without an environment', async (t, start) => {
    for (const args of [[], ['--tty', '80x24']]) {
      const one = start(['sh', '-c', `${daemon} (${daemon}) ; sleep 1000`], { args })
      await one.logged(/daemon[\s\S]*daemon/)
      await until('all there', async () => (await one.line.state())['left'] === 3)
      one.line.send(`stop ${SIGTERM} 10000`)
      await one.line.next('exit')
      t.ok(pidsIn(one.log, 'daemon').every(pid => !isAlive(pid)))
    }
  })

  keeperTest(t, variant, 'kills a process that forks and exits all the time', async (t, start) => {
    const one = start([testProgram, 'hop'])
    await one.line.next('main')
    one.line.send(`stop ${SIGKILL} 0`)
    t.match(await one.line.next('exit'), { code: 0 })
  })

  keeperTest(t, variant, 'sweep kills what a killed keeper left behind', async (t, start) => {
    const mark = `7${String(process.pid).padStart(8, '0')}${variant.name.length}`
    const one = start(['sh', '-c', `${daemon} echo main $$; exec sleep 1000`], { args: ['--mark', mark] })
    const { pid } = await one.line.next('started')
    await one.logged(/daemon[\s\S]*main|main[\s\S]*daemon/)
    t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), new RegExp(`Max realtime timeout +${mark} +unlimited`))
    const pids = [...pidsIn(one.log, 'daemon'), Number(pid)]
    one.process.kill('SIGKILL')
    await one.done
    t.ok(pids.every(isAlive))
    const sweep = () => spawnSync(variant.path, ['sweep', mark], { encoding: 'utf8', env: cleanEnvironment() })
    t.match(sweep(), { status: 0, stdout: `${pids.length}\n` })
    t.notOk(pids.some(isAlive))
    t.match(sweep(), { status: 0, stdout: '0\n' })
  })

  const root = '/sys/fs/cgroup/unified'
  const writable = (() => {
    try {
      accessSync(join(existsSync(root) ? root : '/sys/fs/cgroup', 'cgroup.procs'), access.W_OK)
      return true
    } catch {
      return false
    }
  })()
  keeperTest(
    t,
    variant,
    'a cgroup is joined and killed',
    async (t, start) => {
      const dir = join(existsSync(root) ? root : '/sys/fs/cgroup', `keeper-test-${process.pid}-${variant.name.length}`)
      mkdirSync(dir)
      t.teardown(() => until('removed', () => removed(dir)))
      const one = start(['sh', '-c', `${daemon} cat /proc/self/cgroup; exec sleep 1000`], { args: ['--cgroup', dir] })
      t.match(await one.line.next('started'), { cgroup: true })
      await one.logged('keeper-test-')
      await one.logged('daemon')
      const members = () => readFileSync(join(dir, 'cgroup.procs'), 'utf8').trim().split('\n').length
      await until('both are in it', () => members() === 2)
      t.notMatch(readFileSync(`/proc/${one.process.pid}/cgroup`, 'utf8'), 'keeper-test-')
      one.line.send(`stop ${SIGKILL} 0`)
      await one.line.next('exit')
    },
    !writable && 'cgroup v2 is not writable here',
  )

  keeperTest(t, variant, 'a missing cgroup does not keep the service from running', async (t, start) => {
    const one = start(['true'], { args: ['--cgroup', '/sys/fs/cgroup/no/such'] })
    t.match(await one.line.next('started'), { cgroup: false })
    t.match(await one.line.next('exit'), { code: 0 })
  })
}

function removed(dir: string): boolean {
  try {
    rmdirSync(dir)
    return true
  } catch {
    return !existsSync(dir)
  }
}

keeperTest(
  t,
  release,
  'an idle keeper is small and does not wake up',
  async (t, start) => {
    const one = start([testProgram, 'steps', 'x'.repeat(100_000), 'y\n', 'z\n'], { args: ['--tty', '80x24'] })
    await one.logged('xxxx')
    const status = () => readFileSync(`/proc/${one.process.pid}/status`, 'utf8')
    const wakeups = () => Number(/^voluntary_ctxt_switches:\t(\d+)/m.exec(status())?.[1])
    await until('all shown', () => one.entries.reduce((sum, [, , text]) => sum + text.length, 0) === 100_000)
    // Nothing can be waited for: that nothing happens is the point. The keeper's last wait begins a little after its
    // answer.
    const rest = (ms: number) => new Promise(wake => setTimeout(wake, ms))
    await one.line.state()
    await rest(100)
    const before = wakeups()
    await rest(600)
    t.equal(wakeups(), before)
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(status())?.[1])
    t.ok(rss < 1536, `${rss} kB`)
  },
  onlyLinux('reads /proc'),
)
