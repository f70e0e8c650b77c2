import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { LinuxProcessTable } from '../../../plugins/platform-linux/process-table.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { runCounted, waitForExit } from '../../lib/table-processes.ts'

export const linux = { skip: onlyLinux('reads /proc') }

export const marking = spawnSync('prlimit', ['--version']).status === 0 ? linux : { skip: 'needs prlimit' }

export const uid = process.getuid?.() ?? 0

export const table = new LinuxProcessTable(uid)

/** Runs a shell script during the test; resolves when it has written `count` lines. */
export const script = (t: Test, source: string, count: number, wrap: readonly string[] = []) =>
  runCounted(t, table, [...wrap, 'sh', '-c', source], { count })

let marks = 0

/** Returns a mark that no other process on the machine has. */
export function newMark(): string {
  marks += 1
  return String(BigInt(process.pid) * 1_000_000_000_000n + BigInt(Date.now() % 1_000_000) * 1000n + BigInt(marks))
}

/** A pid that was in use a moment ago. */
export async function deadPid(t: Test): Promise<number> {
  const { child, pid } = await script(t, 'echo 0', 1)
  await waitForExit(child)
  return pid
}
