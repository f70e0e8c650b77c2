import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eachVariant, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { until } from '../../lib/running.ts'

const { asan, walk, xnu } = variants()
const testProgram = buildTestProgram(ownFolder(t))

const linux = process.platform === 'linux'
const { SIGCONT, SIGINT, SIGTERM, SIGUSR1 } = constants.signals
const terminal = ['--tty', '80x24']
const grouped = ['--group-only']

type Command = readonly [what: string, program: (a: string) => readonly string[]]

/** Commands with a process `a`, which takes 100 ms to end; none of them passes a signal on, some end at once. */
const commands: readonly Command[] = [
  ['a program', a => a.split(' ')],
  ['a command of sh', a => ['sh', '-c', a]],
  ['a && b', a => ['sh', '-c', `true && ${a}`]],
  ['a; b', a => ['bash', '-c', `${a}; true`]],
  ['a | b', a => ['sh', '-c', `${a} | cat`]],
  ['sh in sh', a => ['sh', '-c', `sh -c "sh -c '${a}; true'; true"; true`]],
  ['a & exit 0', a => ['sh', '-c', `${a} & exit 0`]],
]

eachVariant(t, [asan, walk, xnu], (t, variant) => {
  // The group alone is known where the system shows no more.
  for (const args of variant === walk ? [terminal] : [terminal, [], [...terminal, ...grouped]])
    ends(t, variant, `commands end in their own time: ${args.join(' ')}`, commands, { args })
  if (variant !== walk) ends(t, variant, 'another signal', commands.slice(0, 2), { args: terminal, signal: SIGINT })
  if (linux) jobs(t, variant)
  if (linux) turns(t, variant)
  if (variant !== walk) signals(t, variant)
  if (linux && variant !== walk) keys(t, variant)
})

interface Stop {
  readonly args: readonly string[]
  readonly signal?: number
  readonly graceMs?: number
}

/** In each command `a` gets the signal once and no other, and exits when it likes. All run concurrently. */
function ends(
  t: Test,
  variant: Variant,
  name: string,
  commands: readonly Command[],
  { args, signal = SIGTERM, graceMs = 10_000 }: Stop,
) {
  keeperTest(t, variant, name, async (t, start, root) => {
    const one = async (program: Command[1], at: number) => {
      const dir = join(root, String(at))
      mkdirSync(dir)
      const notes = join(dir, 'notes')
      const one = start(program(`${testProgram} graceful ${notes} a 100`), { args, dir })
      await until('up', () => existsSync(notes) && readFileSync(notes, 'utf8').includes('up\n'))
      one.line.send(`stop ${signal} ${graceMs}`)
      // A daemon that has lost its connection says it again.
      one.line.send(`stop ${signal} ${graceMs}`)
      await one.line.next('exit')
      return readFileSync(notes, 'utf8').split('\n')
    }
    const got = await Promise.all(commands.map(([, program], at) => one(program, at)))
    // Stopped members of a group are unknown, so all get SIGCONT.
    const unknown = args.includes('--group-only') ? `a ${SIGCONT}` : undefined
    for (const [at, [what]] of commands.entries())
      t.strictSame(
        got[at]?.filter(line => line !== unknown),
        ['a up', `a ${signal}`, 'a done', ''],
        what,
      )
  })
}

/** Processes in groups and sessions of their own. */
function jobs(t: Test, variant: Variant) {
  ends(
    t,
    variant,
    'jobs end in their own time',
    [
      ['of an interactive shell', a => ['bash', '--norc', '-i', '-c', `${a}; true`]],
      ['in a session of its own', a => ['sh', '-c', `setsid ${a} & wait`]],
      ['in the background', a => ['bash', '-mc', `${a} & wait`]],
      [
        'whose parent passes the signal on',
        a => ['bash', '-mc', `${a} & trap 'kill -TERM $!; while kill -0 $!; do wait $!; done' TERM; wait`],
      ],
    ],
    { args: terminal },
  )
  const deaf: Command = [
    'whose parent does not pass the signal on',
    a => ['sh', '-c', `trap '' TERM; setsid -w env --default-signal=TERM ${a}`],
  ]
  ends(t, variant, 'a last call', [deaf], { args: [], graceMs: 1500 })

  keeperTest(t, variant, 'leaves children to a parent that handles the signal', async (t, start, dir) => {
    const notes = join(dir, 'notes')
    const script = `trap '' TERM; setsid -w ${testProgram} graceful ${notes} a 100`
    const one = start(['sh', '-c', script], { args: ['--main-only'] })
    await until('up', () => existsSync(notes) && readFileSync(notes, 'utf8').includes('up\n'))
    one.line.send(`stop ${SIGTERM} 200`)
    t.match(await one.line.next('exit'), { signal: 'SIGKILL' })
    t.equal(readFileSync(notes, 'utf8'), 'a up\n')
  })

  keeperTest(t, variant, 'signals a process born after the stop once its parent has exited', async (t, start, dir) => {
    const notes = join(dir, 'notes')
    const script = `trap '${testProgram} graceful ${notes} a 100 & while ! test -s ${notes}; do sleep 0.02; done; exit 0' TERM; echo up; while :; do sleep 0.02; done`
    const one = start(['sh', '-c', script], { args: terminal })
    await one.logged('up')
    // A last call would come too late.
    one.line.send(`stop ${SIGTERM} 60000`)
    await one.line.next('exit')
    t.equal(readFileSync(notes, 'utf8'), 'a up\na 15\na done\n')
  })
}

/** Handles SIGTERM by doing nothing, and waits for its child. */
function deafNode(a: string): string[] {
  const script = `process.on('SIGTERM', () => {}); require('node:child_process').spawn('sh', ['-c', '${a}'], { stdio: 'inherit' })`
  return [process.execPath, '-e', script]
}

/** Some are asked only after others, in one process group. */
function turns(t: Test, variant: Variant) {
  const passing: readonly Command[] = [
    ['whose parent passes the signal on', a => ['timeout', '--foreground', '100', ...a.split(' ')]],
    ['of a shell whose parent passes it on', a => ['timeout', '--foreground', '100', 'sh', '-c', `${a}; true`]],
    ['in a group of that parent', a => ['sh', '-c', `bash -mc "timeout --foreground 100 ${a} & wait"`]],
    ['that reads what another writes, and does not end with it', a => ['sh', '-c', `sleep 1000 | ${a}`]],
  ]
  const script = (a: string) => `printf '#!/bin/sh\\ntrap : TERM\\n%s\\n' '${a}' >run; chmod +x run; exec ./run`
  ends(t, variant, 'a shell passes nothing on', [['of a script with a trap', a => ['sh', '-c', script(a)]]], {
    args: terminal,
    graceMs: 60_000,
  })
  ends(t, variant, 'each gets it once, after those that are before it', passing, { args: terminal })
  ends(t, variant, 'a last call in a group', [['whose parent handles it only', deafNode]], { args: [], graceMs: 1500 })

  keeperTest(t, variant, 'a pipe reader gets the last output of its writer', async (t, start) => {
    const script = `(trap "sleep 0.2; echo last words; exit 0" TERM; echo up; while :; do sleep 0.02; done) | cat`
    const one = start(['sh', '-c', script], { args: terminal })
    await one.logged('up')
    one.line.send(`stop ${SIGTERM} 10000`)
    await one.line.next('exit')
    t.match(one.log, 'last words')
  })
}

/** Stops by several signals. */
function signals(t: Test, variant: Variant) {
  keeperTest(
    t,
    variant,
    'sends each signal once, also when it is requested again after another',
    async (t, start, dir) => {
      const notes = join(dir, 'notes')
      const one = start([testProgram, 'graceful', notes, 'a', '100'], { args: terminal })
      await until('up', () => existsSync(notes) && readFileSync(notes, 'utf8').includes('up\n'))
      one.line.send(`stop ${SIGUSR1} 10000`)
      await until('the first', () => readFileSync(notes, 'utf8').includes(`a ${SIGUSR1}\n`))
      one.line.send(`stop ${SIGTERM} 10000`)
      one.line.send(`stop ${SIGUSR1} 10000`)
      await one.line.next('exit')
      t.equal(readFileSync(notes, 'utf8'), `a up\na ${SIGUSR1}\na ${SIGTERM}\na done\n`)
    },
  )

  keeperTest(
    t,
    variant,
    'a signal requested after the last call gets its own last call',
    async (t, start, dir) => {
      const notes = join(dir, 'notes')
      const script = `trap '' TERM USR1; setsid -w env --default-signal=TERM,USR1 ${testProgram} graceful ${notes} a 100`
      const one = start(['sh', '-c', script])
      await until('up', () => existsSync(notes) && readFileSync(notes, 'utf8').includes('up\n'))
      one.line.send(`stop ${SIGUSR1} 3000`)
      await until('the last call', () => readFileSync(notes, 'utf8').includes(`a ${SIGUSR1}\n`))
      one.line.send(`stop ${SIGTERM} 60000`)
      await one.line.next('exit')
      t.equal(readFileSync(notes, 'utf8'), `a up\na ${SIGUSR1}\na ${SIGTERM}\na done\n`)
    },
    onlyLinux('elsewhere only the group is known'),
  )
}

/** The terminal's own signals. */
function keys(t: Test, variant: Variant) {
  keeperTest(t, variant, 'typed Ctrl-C goes to the foreground of the terminal', async (t, start, dir) => {
    const notes = join(dir, 'notes')
    const one = start(
      ['sh', '-c', `trap '' INT; env --default-signal=INT ${testProgram} graceful ${notes} a 0; echo on; read x`],
      {
        args: terminal,
      },
    )
    await until('up', () => existsSync(notes))
    const keyboard = await one.connect()
    keyboard.socket.setEncoding('latin1').removeAllListeners('data')
    keyboard.send('attach 100 30')
    keyboard.socket.write('\x03')
    await one.logged('on')
    t.match(readFileSync(notes, 'utf8'), `a ${SIGINT}\n`)
    keyboard.socket.write('read\n')
    t.match(await one.line.next('exit'), { code: 0 }, 'it reads what is typed')
  })

  keeperTest(t, variant, 'typed Ctrl-Z does not suspend the service: no shell could resume it', async (t, start) => {
    const one = start(['sh', '-c', 'echo up; read x; echo "<$x>"'], { args: terminal })
    await one.logged('up')
    const keyboard = await one.connect()
    keyboard.socket.setEncoding('latin1').removeAllListeners('data')
    keyboard.send('attach 100 30')
    keyboard.socket.write('\x1aab\x1ac\n')
    t.match(await one.line.next('exit'), { code: 0 })
    t.match(one.log, '<abc>')
  })

  keeperTest(t, variant, 'resumes a service that stops itself', async (t, start) => {
    const one = start(['sh', '-c', 'trap "echo on; exit 5" CONT; kill -TSTP 0; sleep 100'], { args: terminal })
    t.match(await one.line.next('exit'), { code: 5 })
    t.match(one.log, 'on')
  })

  keeperTest(t, variant, 'Ctrl-Z suspends a job of an interactive shell', async (t, start) => {
    const one = start(['bash', '--norc', '-i'], { args: terminal })
    await one.logged('bash-')
    const keyboard = await one.connect()
    keyboard.socket.setEncoding('latin1').removeAllListeners('data')
    keyboard.send('attach 100 30')
    keyboard.socket.write(`${testProgram} steps ready more\n`)
    await one.logged(/\rready|[FP] ready/)
    keyboard.socket.write('\x1a')
    await one.logged('Stopped')
    t.match(await one.line.state(), { main: null })
  })

  keeperTest(t, variant, 'the keeper is not part of the service and has its own session', async (t, start) => {
    const one = start(['sh', '-c', 'ps -o pid=,pgid=,sid=,tpgid= -p $$; setsid ps -o sid=,tpgid= -p $$'], {
      args: terminal,
    })
    const { pid, keeper } = await one.line.next('started')
    await one.line.next('exit')
    t.match(one.log, new RegExp(` ${pid} +${pid} +${keeper} +${pid}\n`))
  })
}
