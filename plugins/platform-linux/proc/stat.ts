/** What locald reads of /proc/PID/stat (proc(5)). Zombies have it too: see `hasExited`. */
export interface Stat {
  readonly pid: number
  readonly comm: string
  readonly state: string
  readonly ppid: number
  readonly threads: number
  readonly isKernelThread: boolean
  /** Clock ticks after boot (field 22). */
  readonly started: number
  /** Clock ticks, user and system. */
  readonly cpu: number
  /** The same of exited children that were waited for, and of theirs. */
  readonly childCpu: number
}

/** ms in a clock tick: USER_HZ is 100 on every architecture Node runs on. */
export const tickMs = 10

/** PF_KTHREAD (include/linux/sched.h) of the flags, field 9. */
const kernelThreadFlag = 0x0020_0000

/**
 * Parses a /proc/PID/stat line; undefined when it is none. The command is in brackets and may itself contain spaces and
 * brackets, so the fields are counted from the last closing one.
 */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 1 || close < open) return undefined
  const fields = text.slice(close + 2).split(' ')
  // fields[0] is field 3 of the manual page.
  const at = (field: number) => Number(fields[field - 3])
  const pid = Number(text.slice(0, open))
  const stat = {
    pid,
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '',
    ppid: at(4),
    threads: at(20),
    isKernelThread: (at(9) & kernelThreadFlag) !== 0,
    started: at(22),
    cpu: at(14) + at(15),
    childCpu: at(16) + at(17),
  }
  return [pid, stat.ppid, stat.started, stat.cpu, stat.childCpu].every(Number.isFinite) ? stat : undefined
}

/**
 * Returns whether a process is a zombie or being removed. One whose main thread alone has exited shows as a zombie and
 * is none.
 */
export function hasExited({ state, threads }: Stat): boolean {
  return (state === 'Z' && threads <= 1) || state === 'X' || state === 'x'
}

/** Returns the soft RLIMIT_RTTIME of a /proc/PID/limits text, decimal; undefined when unlimited. */
export function parseMark(limits: string): string | undefined {
  return /^Max realtime timeout +(\d+) /m.exec(limits)?.[1]
}

/** Returns the soft RLIMIT_NOFILE of a /proc/PID/limits text; Infinity when unlimited. */
export function parseOpenFiles(limits: string): number | undefined {
  const value = /^Max open files +(\d+|unlimited) /m.exec(limits)?.[1]
  return value === 'unlimited' ? Number.POSITIVE_INFINITY : value === undefined ? undefined : Number(value)
}

/** Returns the pages of a /proc/PID/statm text: resident in total, and resident of files and shared memory. */
export function parseStatm(text: string): { readonly resident: number; readonly shared: number } | undefined {
  const [, resident, shared] = text.split(' ').map(Number)
  if (resident === undefined || shared === undefined || Number.isNaN(resident + shared)) return undefined
  return { resident, shared }
}

const auxvPageSize = 6n

/**
 * Returns the bytes in a page, from /proc/self/auxv (AT_PAGESZ, getauxval(3)): pairs of native words, 64 bit wide where
 * Node runs.
 */
export function parsePageSize(auxv: Buffer, littleEndian: boolean): number {
  const word = (at: number) => (littleEndian ? auxv.readBigUInt64LE(at) : auxv.readBigUInt64BE(at))
  for (let at = 0; at + 16 <= auxv.length; at += 16) if (word(at) === auxvPageSize) return Number(word(at + 8))
  return 4096
}
