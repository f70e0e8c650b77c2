import { join } from 'node:path'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { onEach } from './suite.ts'
import { killAll, lostOn, lurker, onlyDaemon, Place, script, tiocnotty, words } from './tree-project.ts'

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
