import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ProcessTree } from '../../../kernel/contract/plugin.ts'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { onlyLinux } from '../../lib/machine.ts'

export const linux = { skip: onlyLinux('reads /proc') }

export const marking = spawnSync('prlimit', ['--version']).status === 0 ? linux : { skip: 'needs prlimit' }

export const uid = process.getuid?.() ?? 0

export const table = new LinuxProcessTable(uid)

/** Numbers that a script wrote, one a line, as it came so far. */
interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly numbers: readonly number[]
}

/** Runs a shell script during the test; resolves when it has written `count` lines. */
export async function script(t: Test, source: string, count: number, wrap: readonly string[] = []): Promise<Started> {
  const argv = [...wrap, 'sh', '-c', source]
  const child = spawn(argv[0] ?? 'sh', argv.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  })
  t.teardown(async () => {
    child.stdout.destroy()
    await waitForExit(child)
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`cannot start ${argv[0]}`)
  const numbers: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    numbers.push(Number(line))
    if (numbers.length === count) break
  }
  for (const number of numbers) if (number > 1) await killAtEnd(t, number)
  return { child, pid, numbers }
}

/** Only while it is the same process: pids come round. */
export async function killAtEnd(t: Test, pid: number): Promise<void> {
  const start = await table.start(pid)
  t.teardown(async () => {
    if (start !== undefined && (await table.start(pid)) === start) process.kill(pid, 'SIGKILL')
  })
}

/** Polls a condition without an event, for at most 10 s. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await setTimeout(2)
  }
}

/** Kills a child unless it has exited. */
export async function waitForExit(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

let marks = 0

/** Returns a mark that no other process on the machine has. */
export function newMark(): string {
  marks += 1
  return String(BigInt(process.pid) * 1_000_000_000_000n + BigInt(Date.now() % 1_000_000) * 1000n + BigInt(marks))
}

export function treeOf(keeper: number, more: Partial<ProcessTree> = {}): ProcessTree {
  return { keeper, pid: keeper, pgid: keeper, startedMs: Date.now(), ...more }
}

/** A pid that was in use a moment ago. */
export async function deadPid(t: Test): Promise<number> {
  const { child, pid } = await script(t, 'echo 0', 1)
  await waitForExit(child)
  return pid
}
