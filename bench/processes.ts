import { readdirSync, readFileSync } from 'node:fs'

/** A process and its usage: memory in bytes, CPU (user and system) in ms. */
export interface Used {
  readonly pid: number
  readonly command: string
  readonly cpuMs: number
  readonly rss: number
  /** Proportional set size: shared pages count in parts, proc_pid_smaps(5). */
  readonly pss: number
}

/** Returns the running processes whose environment contains `text`. */
export function processesWith(text: string): readonly Used[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid && read(name, 'environ').includes(text))
    .map(name => used(Number(name)))
}

/** Returns the usage of one process. */
export function used(pid: number): Used {
  const rollup = read(pid, 'smaps_rollup')
  const kilobytes = (key: string) => Number(new RegExp(`^${key}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0)
  return {
    pid,
    command: read(pid, 'cmdline').replaceAll('\0', ' ').trim(),
    cpuMs: cpuOf(pid),
    rss: kilobytes('Rss') * 1024,
    pss: kilobytes('Pss') * 1024,
  }
}

/** Returns the CPU time of children that exited and were waited for, in ms: proc_pid_stat(5), in ticks of 10 ms. */
export function childrenMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) * 10
}

/** Returns the CPU time of all threads in ms, with the precision of `schedstat` (ns). */
function cpuOf(pid: number): number {
  let threads: string[] = []
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    return 0
  }
  return threads.reduce((sum, id) => sum + Number(read(pid, `task/${id}/schedstat`).split(' ')[0]) / 1e6, 0)
}

function read(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
