import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { Tools } from '../../../plugins/platform-darwin/commands.ts'
import { DarwinProcessTable } from '../../../plugins/platform-darwin/process-table.ts'
import { parseRow, type Row } from '../../../plugins/platform-darwin/ps.ts'
import { runCounted, treeOf } from '../../lib/table-processes.ts'

const works = (program: string) => spawnSync(program, ['-v']).error === undefined

export const tools = works('ps') && works('lsof') ? {} : { skip: 'needs ps and lsof' }

export const table = new DarwinProcessTable(new Tools(process.env['PATH']))

export const sh = (t: Test, text: string, count: number, detached = false) =>
  runCounted(t, table, ['sh', '-c', text], { count, detached })

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
