import { join } from 'node:path'
import { psWithEnvironment, setsid } from '../lib/machine.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { on, onEach } from './suite.ts'
import { isStarter, killAll, Place, words } from './tree-project.ts'

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
