import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process that belongs to a sandbox. */
export interface Process {
  readonly pid: number
  readonly command: string
}

/**
 * Processes of a sandbox: those whose environment, words, working directory or open files name its folder, so that one is found also
 * after it has emptied its environment, made a session of its own and lost its parent. Zombies are none.
 */
export function processesOf(folder: string): readonly Process[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(pid => !/^\d+ \(.*\) [ZX]/s.test(read(pid, 'stat')) && names(pid, folder))
    .map(pid => ({ pid: Number(pid), command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
}

function names(pid: string, folder: string): boolean {
  const isIn = (text: string) => text.includes(folder)
  return isIn(read(pid, 'environ')) || isIn(read(pid, 'cmdline')) || isIn(link(pid, 'cwd')) || files(pid).some(isIn)
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

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  return /^\d+ \(.*\) [^ZX]/s.test(read(String(pid), 'stat'))
}

/** The parent of a process; a service's main process has its keeper. */
export function parentOf(pid: number): number {
  return Number(/^\d+ \(.*\) \S (\d+)/s.exec(read(String(pid), 'stat'))?.[1])
}
