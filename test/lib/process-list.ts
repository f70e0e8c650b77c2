/** The machine's processes, for tests: from /proc on Linux, from ps and lsof where there is none. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { parseTime } from '../../plugins/platform-darwin/ps.ts'

/** A process as tests identify it. */
export interface Process {
  readonly pid: number
  /** Its words. */
  readonly command: string
}

/** What tests ask of the machine's processes; zombies are none. */
export interface ProcessList {
  /**
   * Those whose environment, words, working directory or open files name a folder, so that one is found also after it
   * has emptied its environment, made a session of its own and lost its parent. Never this process itself.
   */
  naming(folder: string): readonly Process[]
  isAlive(pid: number): boolean
  /** NaN where there is no such process. */
  parentOf(pid: number): number
  /**
   * `NAME=value` each, of a process of this user; empty where it is not shown. A value with spaces may be cut short.
   */
  environmentOf(pid: number): readonly string[]
}

/** Linux's, complete. */
export const proc: ProcessList = {
  naming(folder) {
    const isIn = (text: string) => text.includes(folder)
    const names = (pid: string) =>
      isIn(read(pid, 'environ')) || isIn(read(pid, 'cmdline')) || isIn(link(pid, 'cwd')) || files(pid).some(isIn)
    return numbers()
      .filter(pid => Number(pid) !== process.pid && isRunning(pid) && names(pid))
      .map(pid => ({ pid: Number(pid), command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
  },
  isAlive: pid => isRunning(String(pid)),
  parentOf: pid => parentIn(String(pid)),
  environmentOf: pid =>
    read(String(pid), 'environ')
      .split('\0')
      .filter(entry => entry !== ''),
}

/**
 * What ps(1) and lsof(8) show: on macOS the environment of the user's own processes, but of none that System Integrity
 * Protection restricts (XNU, sysctl_procargsx), such as /bin/sh; those are found by their folder and files.
 */
export const tools: ProcessList = {
  naming(folder) {
    const all = living()
    const own = all.find(({ pid }) => pid === process.pid)?.age ?? Number.NaN
    // A test's processes are not older than the test; lsof takes long for all of a machine's.
    const rows = all.filter(({ pid, age }) => pid !== process.pid && age <= own + 1000)
    const words = environments()
    const open = opened(rows.map(({ pid }) => pid))
    return rows
      .filter(({ pid }) => words.get(pid)?.includes(folder) || open.get(pid)?.includes(folder))
      .map(({ pid, command }) => ({ pid, command }))
  },
  isAlive: pid => living().some(row => row.pid === pid),
  parentOf: pid => living().find(row => row.pid === pid)?.ppid ?? Number.NaN,
  environmentOf(pid) {
    // The words come first, and nothing marks where they end.
    const known = living().find(row => row.pid === pid)?.command ?? ''
    const all = environments().get(pid) ?? ''
    return all
      .slice(known.length)
      .split(' ')
      .filter(word => word.includes('='))
  },
}

/** This machine's. */
export const processList: ProcessList = process.platform === 'linux' ? proc : tools

interface Row extends Process {
  readonly ppid: number
  /** ms, whole seconds. */
  readonly age: number
}

function living(): readonly Row[] {
  const columns = ['pid', 'ppid', 'stat', 'etime', 'command'].flatMap(column => ['-o', `${column}=`])
  return output('ps', ['-axww', ...columns]).flatMap(line => {
    const [, pid, ppid, stat = '', etime = '', command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    if (pid === undefined || /^[ZX]/.test(stat)) return []
    return [{ pid: Number(pid), ppid: Number(ppid), age: parseTime(etime), command }]
  })
}

/** Words and environments by pid: the one thing that the two ps do by different words (`-E`, and procps' `e`). */
function environments(): ReadonlyMap<number, string> {
  const words = process.platform === 'linux' ? ['axeww'] : ['-axww', '-E']
  const lines = output('ps', [...words, '-o', 'pid=', '-o', 'command='])
  return new Map(
    lines.map(line => [Number.parseInt(line, 10), line.replace(/^\s*\d+ /, '')] satisfies [number, string]),
  )
}

/** Paths of working directories and open files by pid: in lsof's fields a `p` line opens a process, `n` is a name. */
function opened(pids: readonly number[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  let pid = 0
  for (const field of output('lsof', ['-w', '-nP', '-p', pids.join(','), '-Fpn'])) {
    if (field.startsWith('p')) pid = Number(field.slice(1))
    else if (field.startsWith('n')) found.set(pid, `${found.get(pid) ?? ''}${field.slice(1)}\n`)
  }
  return found
}

/**
 * Lines of a program, whatever it ends with: lsof exits with 1 when one of many does not exist. Throws where there is
 * no such program.
 */
function output(program: string, words: readonly string[]): readonly string[] {
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' }
  const ran = spawnSync(program, words, { encoding: 'utf8', env, maxBuffer: 2 ** 26, timeout: 30_000 })
  if (ran.error !== undefined) throw ran.error
  return ran.stdout.split('\n').filter(line => line !== '')
}

function numbers(): readonly string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name))
}

function isRunning(pid: string): boolean {
  return /^\d+ \(.*\) [^ZX]/s.test(read(pid, 'stat'))
}

function parentIn(pid: string): number {
  return Number(/^\d+ \(.*\) \S (\d+)/s.exec(read(pid, 'stat'))?.[1])
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function link(pid: string, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`)
  } catch {
    return ''
  }
}

function files(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(fd => link(pid, `fd/${fd}`))
  } catch {
    return []
  }
}
