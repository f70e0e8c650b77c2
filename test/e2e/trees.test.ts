import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { psWithEnvironment, setsid } from '../lib/machine.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Files, Sandbox } from '../lib/sandbox.ts'
import { type Machine, on, onEach } from './suite.ts'

/** Words of `sleep`, that distinguish the processes of a service. */
const words = { main: '100001', child: '100002', lurker: '100003' } as const

const isLinux = process.platform === 'linux'
/** A command in a terminal of its own: script(1) of util-linux, and of the BSDs. */
const script = isLinux
  ? `script -qec 'echo other terminal; exec sleep 100002' /dev/null`
  : `script -q /dev/null sh -c 'echo other terminal; exec sleep 100002'`
/** ioctl(2) that gives up the terminal. */
const tiocnotty = isLinux ? '0x5422' : '0x20007471'

/** A shell command for a daemon that escapes supervision: forked twice, a session of its own, no environment, no files. */
const lurker = (word: string) => `(cd / && ${setsid} env -i "$BOX/sleeper" ${word} </dev/null >/dev/null 2>&1 &)`
/** A sandbox with a project of one service, `it`, which runs a script; `sleeper` is a `sleep` whose words name the sandbox. */
class Place {
  readonly box: Sandbox
  readonly folder: string

  constructor(machine: Machine, name: string, script: string, keys = '', files: Files = {}) {
    this.box = machine.sandbox()
    const sleeper = join(this.box.home, 'sleeper')
    // macOS may kill a copy of a program of its own (launch constraints).
    if (isLinux) copyFileSync('/bin/sleep', sleeper)
    else
      compile(
        sleeper,
        '#include <stdlib.h>\n#include <unistd.h>\nint main(int n, char **a) { return sleep(atoi(a[n - 1])); }',
      )
    chmodSync(sleeper, 0o755)
    this.folder = this.box.project(name, {
      'locald.toml': `
        [project]
        name = "${name}"
        [services.it]
        type = "worker"
        command = "exec sh script"
        env = { BOX = "${this.box.home}" }
        ${keys}
      `,
      script,
      ...files,
    })
  }

  async up(): Promise<void> {
    await this.box.up(this.folder)
  }

  async stop(): Promise<void> {
    await this.box.ok(['stop'], { cwd: this.folder })
  }

  async pid(): Promise<number> {
    return (await this.box.service(this.folder, 'it')).pid ?? Number.NaN
  }

  /** Waits until the service has written a line. */
  async says(text: string): Promise<void> {
    await until(`'${text}' in the log`, async () =>
      (await this.box.logs(this.folder, ['-n', '1000'])).some(line => line.text.includes(text)),
    )
  }

  /** Pids of the service's processes that sleep for so long, or of all that sleep. */
  sleeping(...which: readonly string[]): readonly number[] {
    const ends = which.length === 0 ? Object.values(words) : which
    return this.box
      .processes()
      .filter(({ command }) => ends.some(word => command.endsWith(`/sleeper ${word}`)))
      .map(({ pid }) => pid)
  }

  async sleeps(count: number, ...which: readonly string[]): Promise<void> {
    await until(`${count} of ${which} in ${this.sleeping()}`, () => this.sleeping(...which).length === count)
  }

  async onlyDaemon(t: Test): Promise<void> {
    await onlyDaemon(t, this.box)
  }
}

/** What a Mac shows of a process is its parent, group, terminal, ports and environment: what gives up all of them cannot be distinguished from others. */
const lostOn = (machine: Machine) => (machine.os === 'darwin' ? 1 : 0)

for (const tty of [true, false]) {
  onEach(`a stop leaves no process, ${tty ? 'terminal' : 'pipes'}`, async (t, machine) => {
    const place = new Place(
      machine,
      'stops',
      `
        "$BOX/sleeper" ${words.child} &
        ${lurker(words.lurker)}
        exec "$BOX/sleeper" ${words.main}
      `,
      `tty = ${tty}`,
    )
    t.teardown(() => killAll(place.sleeping()))
    await place.up()
    await place.sleeps(1, words.lurker)
    await place.sleeps(1, words.child)
    await place.stop()
    t.same(place.sleeping(words.main, words.child), [], 'neither the main process nor its child')
    t.equal(place.sleeping(words.lurker).length, lostOn(machine), 'the daemon')
    killAll(place.sleeping())
    await place.onlyDaemon(t)
  })

  onEach(
    `a service killed with its keeper leaves no process after a stop, ${tty ? 'terminal' : 'pipes'}`,
    async (t, machine) => {
      const place = new Place(
        machine,
        'lost',
        `
        trap '' HUP
        "$BOX/sleeper" ${words.child} &
        ${lurker(words.lurker)}
        exec "$BOX/sleeper" ${words.main}
      `,
        `tty = ${tty}\nrestart = "no"`,
      )
      t.teardown(() => killAll(place.sleeping()))
      await place.up()
      await place.sleeps(1, words.lurker)
      await place.sleeps(1, words.child)
      const keeper = processList.parentOf(await place.pid())
      process.kill(keeper, 'SIGKILL')
      await until('the service to have failed', async () => {
        const { status } = await place.box.service(place.folder, 'it')
        return status === 'failed'
      })
      t.same(place.sleeping(words.main, words.child), [], 'neither the main process nor its child')
      t.equal(place.sleeping(words.lurker).length, lostOn(machine), 'the daemon')
      t.match(
        (await place.box.logs(place.folder)).map(({ text }) => text).join('\n'),
        /keeper was killed/,
        'the log has the reason',
      )
      await place.stop()
      killAll(place.sleeping())
      await place.onlyDaemon(t)
    },
  )
}

for (const how of ['stopped', 'killed with its keeper']) {
  on('darwin', `finds a daemonized process by its environment: ${how}`, async (t, machine) => {
    const script = `(${setsid} "$BOX/sleeper" ${words.lurker} </dev/null >/dev/null 2>&1 &); exec "$BOX/sleeper" ${words.main}`
    const place = new Place(machine, 'kept', script, 'restart = "no"')
    place.box.write(join(place.box.home, 'mac', 'ps'), psWithEnvironment, 0o755)
    const PATH = `${join(place.box.home, 'mac')}:${place.box.env['PATH']}`
    await place.box.ok(['server', 'start'], { env: { PATH } })
    await place.up()
    await place.sleeps(1, words.lurker)
    if (how === 'stopped') await place.stop()
    else process.kill(processList.parentOf(await place.pid()), 'SIGKILL')
    await until('its end', async () =>
      ['stopped', 'failed'].includes((await place.box.service(place.folder, 'it')).status),
    )
    await place.sleeps(0, words.lurker, words.main)
    await place.onlyDaemon(t)
  })
}

onEach('restarts a service whose keeper is killed', async (t, machine) => {
  const place = new Place(
    machine,
    'again',
    `trap '' HUP; "$BOX/sleeper" ${words.child} & exec "$BOX/sleeper" ${words.main}`,
  )
  await place.up()
  await place.sleeps(1, words.child)
  const before = await place.pid()
  process.kill(processList.parentOf(before), 'SIGKILL')
  const after = await until('a restart', async () => {
    const { status, restarts, pid } = await place.box.service(place.folder, 'it')
    return status === 'running' && restarts === 1 ? pid : undefined
  })
  t.not(after, before)
  t.notOk(processList.isAlive(before))
  await place.sleeps(1, words.child)
  await place.sleeps(1, words.main)
  await place.stop()
  await place.onlyDaemon(t)
})

onEach('when the starter is killed, services keep running and new ones start', async (t, machine) => {
  const place = new Place(machine, 'started', `exec "$BOX/sleeper" ${words.main}`)
  await place.up()
  const before = await place.pid()
  const starters = place.box.processes().filter(isStarter)
  t.equal(starters.length, 1)
  killAll(starters.map(({ pid }) => pid))
  t.equal(await place.pid(), before)
  await place.box.ok(['restart'], { cwd: place.folder })
  t.not(await place.pid(), before)
  await place.stop()
  await place.onlyDaemon(t)
})

onEach('kills a keeper that does not respond, with its service', async (t, machine) => {
  const place = new Place(
    machine,
    'stuck',
    `"$BOX/sleeper" ${words.child} & exec "$BOX/sleeper" ${words.main}`,
    'stop_timeout = 0.1',
  )
  await place.up()
  await place.sleeps(1, words.child)
  process.kill(processList.parentOf(await place.pid()), 'SIGSTOP')
  await place.stop()
  await place.onlyDaemon(t)
})

onEach('sends the stop signal to the whole group, and kills what ignores it', async (t, machine) => {
  const place = new Place(
    machine,
    'signals',
    `
      sh -c 'trap "echo child got USR1; exit" USR1; echo child up; while :; do sleep 0.02; done' &
      sh -c 'trap "" USR1 TERM HUP QUIT; echo deaf up; while :; do sleep 0.02; done' &
      trap 'echo main got USR1' USR1
      echo main up
      while :; do sleep 0.02; done
    `,
    'stop_signal = "SIGUSR1"\nstop_timeout = 1',
  )
  await place.up()
  for (const who of ['child', 'deaf', 'main']) await place.says(`${who} up`)
  await place.stop()
  await place.says('main got USR1')
  await place.says('child got USR1')
  await place.onlyDaemon(t)
})

onEach('kills a tree of 400 processes that keeps forking', async (t, machine) => {
  const place = new Place(
    machine,
    'many',
    `
      i=0
      while test $i -lt 200; do
        (trap '' TERM; "$BOX/sleeper" ${words.child} & "$BOX/sleeper" ${words.main}) &
        i=$((i+1))
      done
      echo all there
      while :; do "$BOX/sleeper" 0.001 & "$BOX/sleeper" 0.01; done
    `,
    'stop_timeout = 0.5',
  )
  await place.up()
  await place.says('all there')
  await place.sleeps(200, words.child)
  await place.stop()
  await place.onlyDaemon(t)
})

onEach('stops a service while it starts, and while it waits for a restart', async (t, machine) => {
  const place = new Place(
    machine,
    'early',
    `"$BOX/sleeper" ${words.child} & exec "$BOX/sleeper" ${words.main}`,
    'health_check = { type = "log", pattern = "never" }\nready_timeout = 100',
  )
  const up = place.box.start(['up'], { cwd: place.folder })
  await place.sleeps(1, words.main)
  await place.stop()
  t.equal((await up.done).code, 1)
  t.match(await place.box.service(place.folder, 'it'), { status: 'stopped', pid: null })
  await place.onlyDaemon(t)
  place.box.write(join(place.folder, 'script'), 'exit 3')
  const again = place.box.start(['up'], { cwd: place.folder })
  await until('a restart', async () => (await place.box.service(place.folder, 'it')).status === 'restarting')
  await place.stop()
  t.equal((await again.done).code, 1)
  t.match(await place.box.service(place.folder, 'it'), { status: 'stopped', pid: null })
  await place.onlyDaemon(t)
})

onEach('keeps running services that close their output, leave zombies or change their terminal', async (t, machine) => {
  const box = machine.sandbox()
  const folder = box.project('odd', {
    'locald.toml': `
      [project]
      name = "odd"
      [services.closes]
      type = "worker"
      command = "echo up; exec >/dev/null 2>&1 </dev/null sleep 100001"
      [services.closes-pipes]
      type = "worker"
      tty = false
      command = "echo up; exec >&- 2>&- <&- sleep 100001"
      [services.zombies]
      type = "worker"
      command = "exec ${process.execPath} zombies.mjs"
      [services.terminal]
      type = "worker"
      command = "stty raw -echo cols 20; echo up; exec ${script}"
        [services.no-terminal]
        type = "worker"
        command = 'exec perl -e "\\$| = 1; \\$SIG{HUP} = q(IGNORE); ioctl(STDIN, ${tiocnotty}, 0) or die; print qq(up\\n); sleep 100001"'
    `,
    // Children whose parent never waits for them, for it has lost them: sh replaced by a program that knows of none.
    'zombies.mjs': `
      import { spawnSync } from 'node:child_process'
      for (let i = 0; i < 20; i++) spawnSync('sh', ['-c', '(exit 0) & exec sleep 0.01'])
      spawnSync('sh', ['-c', 'i=0; while test $i -lt 20; do true & i=$((i+1)); done; echo made; exec sleep 100002'], { stdio: 'inherit' })
    `,
  })
  await box.up(folder)
  const text = async (name: string) => (await box.logs(folder, [name])).map(line => line.text).join('\n')
  for (const name of ['closes', 'closes-pipes', 'terminal', 'no-terminal'])
    await until(`${name} to be up`, async () => /up/.test(await text(name)))
  await until('zombies', async () => /made/.test(await text('zombies')))
  await until('the other terminal', async () => /other terminal/.test(await text('terminal')))
  t.same(
    (await box.status(folder)).map(({ name, status }) => `${name} ${status}`),
    ['closes running', 'closes-pipes running', 'zombies running', 'terminal running', 'no-terminal running'],
  )
  const before = await box.status(folder)
  process.kill((await box.server()).pid, 'SIGKILL')
  t.same(
    (await until('a daemon', async () => await box.status(folder))).map(({ pid }) => pid),
    before.map(({ pid }) => pid),
    'and a next daemon finds them',
  )
  await box.ok(['stop'], { cwd: folder })
  await onlyDaemon(t, box)
})

/** Nothing but the daemon is there, and what starts keepers for it. */
async function onlyDaemon(t: Test, box: Sandbox): Promise<void> {
  const { pid } = await box.server()
  const left = box.processes().filter(process => process.pid !== pid && !isStarter(process))
  t.same(left, [], 'nothing of a service is left')
}

const isStarter = ({ command }: { readonly command: string }) => / starter \S+$/.test(command)

function killAll(pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}

function compile(output: string, source: string): void {
  const ran = spawnSync(process.env['CC'] || 'cc', ['-x', 'c', '-', '-o', output], { input: source, encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
}
