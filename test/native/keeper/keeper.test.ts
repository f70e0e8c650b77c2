import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cleanEnvironment, eachVariant, Keeper, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { until } from '../../lib/running.ts'

const { release, asan, xnu } = variants()
const noProc = onlyLinux('reads /proc, writes to /dev/full')
const testProgram = buildTestProgram(ownFolder(t))

eachVariant(t, [asan, release, xnu], (t, variant) => {
  life(t, variant)
  stdio(t, variant)
})

function power(variant: Variant): [string, null, string] {
  return ['kill -PWR $$', null, variant === xnu ? 'SIGINFO' : 'SIGPWR']
}

function life(t: Test, variant: Variant) {
  keeperTest(t, variant, 'fails for a program that does not exist', async (t, start) => {
    const one = start(['/no/such/program'])
    t.match(await one.line.next('failed'), { step: 'exec', errno: 2, error: 'No such file or directory' })
    t.equal((await one.done).code, 1)
    t.notOk(existsSync(one.socketPath))
    t.notOk(existsSync(one.exitPath))
  })

  keeperTest(t, variant, 'names the failed step', async (t, start, dir) => {
    const steps: [string, string[]][] = [
      ['socket', ['--notify', join(dir, 'n')]],
      ['notify', ['--notify', join(dir, 'x'.repeat(200))]],
    ]
    mkdirSync(join(dir, 'sock'))
    for (const [step, args] of steps) {
      const one = start(['true'], { args })
      t.match(await one.line.next('failed'), { step })
      t.equal((await one.done).code, 1)
      if (step === 'socket') spawnSync('rmdir', [join(dir, 'sock')])
    }
    mkdirSync(join(dir, 'log2'))
    const one = new Keeper({ variant, dir: join(dir, 'log2'), through: ['sh', '-c', 'mkdir log && exec "$@"', 'sh'] }, [
      'true',
    ])
    t.match(await one.line.next('failed'), { step: 'log', error: 'Is a directory' })
    await one.end()
  })

  keeperTest(t, variant, 'reports exit codes and signals', async (t, start) => {
    const cases: [string, number | null, string | null][] = [
      ['exit 0', 0, null],
      ['exit 7', 7, null],
      ['exit 255', 255, null],
      ['kill -9 $$', null, 'SIGKILL'],
      ['kill -TERM $$', null, 'SIGTERM'],
      ['kill -USR1 $$', null, 'SIGUSR1'],
      // Not of POSIX: a Mac has another one instead.
      ...(process.platform === 'linux' ? [power(variant)] : []),
    ]
    for (const [script, code, signal] of cases) {
      const before = Date.now()
      const one = start(['sh', '-c', script])
      t.match(await one.line.next('started'), { pid: Number, keeper: one.process.pid, cgroup: false })
      t.strictSame(await one.line.next('exit'), { event: 'exit', code, signal })
      t.equal((await one.done).code, 0)
      t.equal(statSync(one.exitPath).mode & 0o777, 0o600)
      const record = JSON.parse(readFileSync(one.exitPath, 'utf8'))
      t.match(record, { code, signal })
      t.ok(record.endedMs >= before && record.endedMs <= Date.now() + 1)
      t.notOk(existsSync(one.socketPath), 'the socket is removed')
    }
  })

  keeperTest(
    t,
    variant,
    'until it exits, the exit record names the keeper, which holds its lock',
    async (t, start, dir) => {
      writeFileSync(join(dir, 'exit.json'), '{}')
      const one = start(['sleep', '100'])
      const { keeper } = await one.line.next('started')
      t.strictSame(JSON.parse(readFileSync(one.exitPath, 'utf8')), { keeper })
      const isFree = () => {
        const file = openSync(one.exitPath, 'r')
        const { status } = spawnSync(variant.path, ['relock'], { stdio: [file, 'ignore', 'ignore'] })
        closeSync(file)
        return status === 0
      }
      t.notOk(isFree())
      process.kill(Number(keeper), 'SIGKILL')
      await until('the lock', isFree)
    },
  )

  keeperTest(
    t,
    variant,
    'the service has its own session, plain signals, the folder and the environment',
    async (t, start, dir) => {
      const script = 'echo "$PWD $WORD $NOTIFY_SOCKET"; umask; cat /proc/self/status; ps -o pid=,pgid=,sid= -p $$'
      const one = start(['sh', '-c', script], { env: { WORD: 'w' }, args: ['--notify', join(dir, 'n')] })
      const { pid } = await one.line.next('started')
      await one.line.next('exit')
      t.match(one.log, `${dir} w ${join(dir, 'n')}\n`)
      t.match(one.log, /SigIgn:\t0{16}/)
      t.match(one.log, /SigBlk:\t0{16}/)
      t.match(one.log, new RegExp(`${pid} +${pid} +${pid}`))
      t.notOk(existsSync(join(dir, 'n')), 'the notify socket is removed')
    },
    noProc,
  )

  keeperTest(
    t,
    variant,
    'no descriptors leak to the service',
    async (t, start) => {
      for (const args of [[], ['--tty', '80x24']]) {
        const one = start(['ls', '/proc/self/fd'], {
          args,
          through: ['sh', '-c', 'exec 7</dev/null 9>&2; exec "$@"', 'sh'],
        })
        await one.line.next('exit')
        t.match(
          one.entries
            .map(([, , text]) => text)
            .join(' ')
            .split(/\s+/)
            .slice(-4),
          ['0', '1', '2', '3'],
          'ls opens 3',
        )
      }
    },
    noProc,
  )

  t.test('rejects unknown arguments', async t => {
    const usage = (...words: string[]) => {
      const ran = spawnSync(variant.path, words, { encoding: 'utf8', env: cleanEnvironment() })
      return [ran.status, ran.stderr.trim()]
    }
    const wrong: [string, string[]][] = [
      ['usage: locald-keeper run|starter|lock|relock|sweep|version', []],
      ['unknown command: walk', ['walk']],
      ['no -- before the program', ['run']],
      ['no program after --', ['run', '--']],
      ['unknown option: --what', ['run', '--what', '--', 'true']],
      ['unknown option: true', ['run', 'true']],
      ['option given twice: --log', ['run', '--log', 'a', '--log', 'b', '--', 'true']],
      ['no value for: --log', ['run', '--log']],
      ['bad value of: --tty', ['run', '--tty', '80x', '--', 'true']],
      ['bad value of: --tty', ['run', '--tty', '0x24', '--', 'true']],
      ['bad value of: --log-files', ['run', '--log-files', '0', '--', 'true']],
      ['bad value of: --mark', ['run', '--mark', '18446744073709551615', '--', 'true']],
      ['bad value of: --stop-ms', ['run', '--stop-ms', '-1', '--', 'true']],
      ['bad value of: --stop-signal', ['run', '--stop-signal', '65', '--', 'true']],
      ['usage: locald-keeper sweep MARK', ['sweep', '0']],
      ['usage: locald-keeper lock [--held-ok] PATH -- PROGRAM ...', ['lock', '/tmp/x', 'true']],
      ['usage: locald-keeper relock', ['relock', 'x']],
    ]
    for (const [message, words] of wrong) t.strictSame(usage(...words), [64, `locald-keeper: ${message}`])
    const version = spawnSync(variant.path, ['version'], { encoding: 'utf8' })
    t.strictSame([version.status, version.stdout], [0, 'locald-keeper 1\n'])
  })
}

function stdio(t: Test, variant: Variant) {
  keeperTest(t, variant, 'pipes: two streams and an input that stays open', async (t, start) => {
    const one = start(['bash', '-c', `${testProgram} isatty; echo oops >&2; read -t 0.05; echo $?`])
    await one.line.next('exit')
    t.strictSame(
      one.entries.filter(([stream]) => stream === 'stdout').map(([, , text]) => text),
      ['000', '142'],
      'not at its end: no more output comes',
    )
    t.strictSame(
      one.entries.filter(([stream]) => stream === 'stderr'),
      [['stderr', 'F', 'oops']],
    )
    const other = start(['sleep', '100'])
    await other.line.next('started')
    other.line.send('resize 80 24')
    t.match(await other.line.next('error'), { error: 'the service has no terminal' })
    other.line.send('attach 80 24')
    t.match(await other.line.next('error'), { error: 'the service has no terminal' })
  })

  keeperTest(t, variant, 'a terminal: its size, both streams, a new size', async (t, start) => {
    const script = `${testProgram} isatty; stty size; echo oops >&2; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done`
    const one = start(['sh', '-c', script], { args: ['--tty', '100x30'] })
    await one.logged('ready')
    one.line.send('resize 120 40')
    await one.line.next('exit')
    t.strictSame(
      one.entries,
      ['111', '30 100', 'oops', 'ready', '40 120'].map(text => ['stdout', 'F', text]),
    )
  })

  keeperTest(t, variant, 'a service that closes its terminal keeps running and can reopen it', async (t, start) => {
    const script = 'exec </dev/null >/dev/null 2>&1; sleep 0.1; echo back >/dev/tty; sleep 100'
    const one = start(['sh', '-c', script], { args: ['--tty', '80x24'] })
    await one.logged('back')
    t.match(await one.line.state(), { main: null })
  })

  keeperTest(t, variant, 'keeps the whole output of a fast command', async (t, start, dir) => {
    for (const args of [[], ['--tty', '80x24']]) {
      for (let run = 0; run < 100; run += 10) {
        const ten = Array.from({ length: 10 }, (_, at) => {
          mkdirSync(join(dir, `${args.length}-${run + at}`))
          return start(['printf', 'one\\ntwo\\nthree'], { args, dir: join(dir, `${args.length}-${run + at}`) })
        })
        await Promise.all(ten.map(one => one.line.next('exit')))
        const texts = ten.map(one => one.entries.map(([, tag, text]) => tag + text).join())
        t.ok(
          // An unfinished line is logged before it has an end, when its program is slow to finish it.
          texts.every(text => text === 'Fone,Ftwo,Fthree' || text === 'Fone,Ftwo,Pthree,F'),
          texts.join(' '),
        )
      }
    }
  })
}
