/** Runs programs for the tests of process tables; nothing of them outlives a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { ProcessTable, ProcessTree } from '../../kernel/contract/plugin.ts'

/** A program, and the numbers that it wrote, one a line: pids of its own, which are killed after the test. */
export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly numbers: readonly number[]
}

/** How a program is run. */
export interface RunOptions {
  /** How many numbers to wait for. */
  readonly count: number
  /** Whether it has a session of its own. */
  readonly detached?: boolean
}

/** Runs a program during the test; resolves when it has written `count` numbers. */
export async function runCounted(
  t: Test,
  table: Pick<ProcessTable, 'start'>,
  argv: readonly string[],
  { count, detached = false }: RunOptions,
): Promise<Started> {
  const child = spawn(argv[0] ?? 'sh', argv.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
    detached,
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
  for (const number of numbers) if (number > 1) await killAfter(t, table, number)
  return { child, pid, numbers }
}

/** Kills a process after the test, only while it is the same one: pids are used again. */
export async function killAfter(t: Test, table: Pick<ProcessTable, 'start'>, pid: number): Promise<void> {
  const start = await table.start(pid)
  t.teardown(async () => {
    if (start !== undefined && (await table.start(pid)) === start) process.kill(pid, 'SIGKILL')
  })
}

/** Kills a child unless it has exited. */
export async function waitForExit(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** The tree of a keeper that is its own first process. */
export function treeOf(keeper: number, more: Partial<ProcessTree> = {}): ProcessTree {
  return { keeper, pid: keeper, pgid: keeper, startedMs: Date.now(), ...more }
}
