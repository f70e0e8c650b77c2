/**
 * Run as process 1's child of a pid namespace: a daemon, its keeper and its service are killed, and strangers get their
 * pids. Prints what became of them. Its argument is the daemon's platform.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** A process with exactly this pid, that leads a session of its own. */
async function stranger(pid: number): Promise<ChildProcess> {
  return await until(`a process with pid ${pid}`, () => {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1))
    const child = spawn('sleep', ['200000'], { stdio: 'ignore', detached: true })
    if (child.pid === pid) return child
    child.kill('SIGKILL')
    return undefined
  })
}

/** Kills processes and waits until their pids are free. */
async function end(...pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // It may have exited since, with another of them.
      if (processList.isAlive(pid)) throw error
    }
  }
  for (const pid of pids) await until(`the end of ${pid}`, () => !processList.isAlive(pid))
}

const closers: (() => unknown)[] = []
const platform = process.argv[2] === 'darwin' ? 'darwin' : undefined
const box = new Sandbox({ teardown: close => closers.push(close) }, { platform, user: 'self' })
const strangers: ChildProcess[] = []
try {
  const folder = box.project('recycled', {
    'locald.toml': `
      [project]
      name = "recycled"
      [services.it]
      type = "worker"
      command = "sleep 100002 & exec sleep 100001"
      restart = "no"
    `,
  })
  await box.up(folder)
  const { pid: main } = await box.service(folder, 'it')
  if (main === null) throw new Error('it has no pid')
  const keeper = processList.parentOf(main)
  const child = box.processes().find(({ command }) => command === 'sleep 100002')?.pid ?? Number.NaN
  const { pid: daemon } = await box.server()
  // A start token of a Mac has a second: what is started in the same one cannot be distinguished, nor can it come round
  // there.
  const second = Math.floor(Date.now() / 1000)
  await end(daemon)
  // The service may have exited with its terminal, meanwhile or just now.
  process.kill(main, 'SIGSTOP')
  process.kill(child, 'SIGSTOP')
  await end(keeper, main, child)
  await until('the next second', () => Math.floor(Date.now() / 1000) > second + 1)
  for (const pid of [keeper, main, child, daemon]) strangers.push(await stranger(pid))
  const alive = () => strangers.map(({ pid = Number.NaN }) => processList.isAlive(pid))
  const steps: Record<string, readonly boolean[]> = {}
  const judged = await until('the service to be judged', async () => {
    const view = await box.service(folder, 'it')
    // Whether it was ready may not be on the disk yet when its daemon is killed.
    return ['running', 'starting'].includes(view.status) ? undefined : view
  })
  steps['adopted'] = alive()
  await box.ok(['stop'], { cwd: folder })
  steps['stopped'] = alive()
  await box.up(folder)
  await box.ok(['restart'], { cwd: folder })
  steps['restarted'] = alive()
  await box.ok(['server', 'shutdown'])
  steps['shut down'] = alive()
  console.log(JSON.stringify({ pids: strangers.map(({ pid }) => pid), keeper, main, status: judged.status, steps }))
} finally {
  for (const { pid } of strangers) if (pid !== undefined) await end(pid)
  for (const close of closers) await close()
}
