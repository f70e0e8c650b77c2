import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ProcessTree } from '../../../kernel/contract/plugin.ts'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { parseRow, type Row } from '../../../plugins/platform-darwin/ps.ts'

const works = (program: string) => spawnSync(program, ['-v']).error === undefined

export const tools = works('ps') && works('lsof') ? {} : { skip: 'needs ps and lsof' }

export const table = new DarwinProcessTable(new Tools(process.env['PATH']))

interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly numbers: readonly number[]
}

/**
 * Runs a program, in a session of its own when asked to, during the test; resolves when it has written `count`
 * numbers.
 */
export async function run(t: Test, argv: readonly string[], count: number, detached = false): Promise<Started> {
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
  for (const number of numbers) if (number > 1) await killAtEnd(t, number)
  return { child, pid, numbers }
}

/** Only while it is the same process: pids come round. */
async function killAtEnd(t: Test, pid: number): Promise<void> {
  const start = await table.start(pid)
  t.teardown(async () => {
    if (start !== undefined && (await table.start(pid)) === start) process.kill(pid, 'SIGKILL')
  })
}

export const sh = (t: Test, text: string, count: number, detached = false) =>
  run(t, ['sh', '-c', text], count, detached)

/** Polls a condition without an event, for at most 10 s. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await setTimeout(10)
  }
}

/** Kills a child unless it has exited. */
export async function waitForExit(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

export const treeOf = (keeper: number, more: Partial<ProcessTree> = {}): ProcessTree => ({
  keeper,
  pid: keeper,
  pgid: keeper,
  startedMs: Date.now(),
  ...more,
})

/** All rows of an output of ps. */
export const parsePs = (text: string) => text.split('\n').flatMap(row => parseRow(row) ?? [])

export const second = 1000

export const begun = Date.UTC(2026, 10, 23, 10, 0, 0)

/** A row that started `at` seconds after the tree. */
export function row(pid: number, ppid: number, pgid: number, at: number, more: Partial<Row> = {}): Row {
  const startedMs = begun + at * second
  return { pid, ppid, pgid, startedMs, zombie: false, terminal: false, cpuMs: 10, memory: 1024, ...more }
}

export const tree = treeOf(100, { pid: 101, pgid: 101, startedMs: begun, port: 3000 })

export const pids = (rows: readonly Row[]) => rows.map(({ pid }) => pid).sort((a, b) => a - b)
