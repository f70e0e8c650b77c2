import { readFileSync, rmSync } from 'node:fs'
import type { Test } from 'tap'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { onHost } from './suite.ts'

/**
 * A project whose `job` was being stopped for a restart when its daemon was killed; with a file `gate` it exits with
 * the code.
 */
async function killedInRestart(t: Test, box: Sandbox, code: number): Promise<{ folder: string; first: number | null }> {
  const folder = box.project('again', {
    'locald.toml': `
      [project]
      name = "again"
      [services.job]
      type = "worker"
      command = "trap 'echo stopping; while ! test -e gate; do sleep 0.05; done; exit ${code}' TERM; echo up; while :; do sleep 0.05; done"
      stop_timeout = 60
      env = { SAYS = "\${GREETING}" }
    `,
    '.env': 'GREETING=hello',
  })
  await box.up(folder)
  const { pid: first } = await box.service(folder, 'job')
  const restart = box.start(['restart'], { cwd: folder })
  await until('the signal to arrive', async () =>
    (await box.logs(folder, ['job'])).some(({ text }) => text === 'stopping'),
  )
  await kill(box)
  t.equal((await restart.done).code, 1)
  return { folder, first }
}

onHost('killed during a restart, a service that exited before the next daemon runs in the end', async (t, machine) => {
  const box = machine.sandbox()
  const { folder, first } = await killedInRestart(t, box, 0)
  box.write(`${folder}/gate`, '')
  await until('its end', () => !processList.isAlive(first ?? Number.NaN))
  await box.ok(['up'], { cwd: folder })
  const after = await box.service(folder, 'job')
  t.match(after, { status: 'running', restarts: 0 })
  t.not(after.pid, first)
})

onHost('killed while dependents stop, their dependency stops too and never runs twice', async (t, machine) => {
  const box = machine.sandbox()
  const needed = ['api', 'db', 'queue']
  const folder = box.project('halfway', {
    'locald.toml': `
      [project]
      name = "halfway"
      [services.web]
      type = "worker"
      command = "trap 'echo stopping; while ! test -e gate; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done"
      stop_timeout = 60
      depends_on = ["${needed.join('", "')}"]
      ${needed.map((name, at) => `[services.${name}]\ntype = "worker"\ncommand = "exec sleep 10010${at}"`).join('\n')}
    `,
  })
  const sleeping = () => box.processes().filter(({ command }) => /^sleep 10010\d$/.test(command))
  await box.up(folder)
  const before = sleeping().map(({ pid }) => pid)
  const stop = box.start(['stop'], { cwd: folder })
  await until('the signal to arrive', async () =>
    (await box.logs(folder, ['web'])).some(({ text }) => text === 'stopping'),
  )
  await kill(box)
  t.equal((await stop.done).code, 1)
  box.write(`${folder}/gate`, '')
  await box.up(folder)
  t.equal(sleeping().length, needed.length, 'one process each')
  t.notOk(before.some(processList.isAlive), 'the stop was completed')
  await box.ok(['stop'], { cwd: folder })
  t.same(sleeping(), [], 'and nothing of it is left')
})

onHost('killed during a restart, a service is not ready until it has restarted', async (t, machine) => {
  const box = machine.sandbox()
  const { folder, first } = await killedInRestart(t, box, 7)
  t.match(await box.service(folder, 'job'), { status: 'restarting', pid: first })
  const up = box.start(['up'], { cwd: folder })
  box.write(`${folder}/gate`, '')
  t.equal((await up.done).code, 0)
  const after = await box.service(folder, 'job')
  t.match(after, { status: 'running', restarts: 0 }, 'it has not crashed')
  t.not(after.pid, first)
})

onHost('killed during a restart, a value that is missing by then is reported', async (t, machine) => {
  const box = machine.sandbox()
  const { folder, first } = await killedInRestart(t, box, 0)
  rmSync(`${folder}/.env`)
  box.write(`${folder}/gate`, '')
  t.match(await box.run(['up', '-d'], { cwd: folder }), { code: 2, stderr: /GREETING/ })
  const failed = await until('the state to say so', async () => {
    const view = await box.service(folder, 'job')
    return view.status === 'restarting' ? undefined : view
  })
  t.match(failed, { status: 'failed', pid: null, reason: /GREETING/ })
  t.notOk(processList.isAlive(first ?? Number.NaN))
  box.write(`${folder}/.env`, 'GREETING=hello')
  await until('the fixed file to start it', async () => (await box.service(folder, 'job')).status === 'running')
})

for (const isExited of [false, true]) {
  const when = isExited ? 'before the next daemon' : 'under the next daemon'
  onHost(`killed during an idle stop, a service that exits ${when} sleeps`, async (t, machine) => {
    const box = machine.sandbox()
    const folder = box.project('sleepy', {
      'locald.toml': `
        [project]
        name = "sleepy"
        [services.job]
        type = "worker"
        command = "echo x >> starts; trap 'echo stopping; while ! test -e gate; do sleep 0.05; done; exit 0' TERM; while :; do sleep 0.05; done"
        stop_timeout = 60
        idle = "1s"
      `,
    })
    await box.up(folder)
    const { pid } = await box.service(folder, 'job')
    await until('the signal to arrive', async () =>
      (await box.logs(folder, ['job'])).some(({ text }) => text === 'stopping'),
    )
    await kill(box)
    if (isExited) {
      box.write(`${folder}/gate`, '')
      await until('its exit', () => !processList.isAlive(pid ?? Number.NaN))
    } else {
      t.match(await box.service(folder, 'job'), { status: 'stopping', pid, asleep: true })
      box.write(`${folder}/gate`, '')
    }
    await until('the end of the stop', async () => (await box.service(folder, 'job')).status === 'stopped')
    t.match(await box.service(folder, 'job'), { pid: null, asleep: true, reason: /^idle for 1s/ })
    await box.ok(['server', 'restart'])
    t.match(await box.service(folder, 'job'), { status: 'stopped', asleep: true }, 'also under the daemon after it')
    t.equal(readFileSync(`${folder}/starts`, 'utf8'), 'x\n', 'it was not started again')
  })
}

/** SIGKILLs the daemon and waits for its exit. */
async function kill(box: Sandbox): Promise<void> {
  const { pid } = await box.server()
  process.kill(pid, 'SIGKILL')
  await until('the end of the daemon', () => !processList.isAlive(pid))
}
