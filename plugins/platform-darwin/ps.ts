/** One row of the output of `ps` with `psArgs`. */
export interface Row {
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
  readonly zombie: boolean
  /** Has a controlling terminal. */
  readonly terminal: boolean
  /** ms since the epoch, whole seconds. */
  readonly startedMs: number
  /** User and system, ms. */
  readonly cpuMs: number
  /** Resident, bytes. */
  readonly memory: number
}

const columns = ['pid', 'ppid', 'pgid', 'stat', 'tty', 'lstart', 'time', 'rss'] as const

/**
 * Lists all processes, one line each, without a heading. Each column has an `-o` of its own: after `=` macOS takes the
 * rest of an argument, commas too, as the heading (ps(1)).
 */
export const psArgs: readonly string[] = ['-axww', ...columns.flatMap(column => ['-o', `${column}=`])]

const line =
  /^\s*(?<pid>\d+)\s+(?<ppid>\d+)\s+(?<pgid>\d+)\s+(?<stat>\S+)\s+(?<tty>\S+)\s+[A-Z][a-z]{2}\s+(?<date>\S+\s+\S+)\s+(?<clock>[\d:]{8})\s+(?<year>\d{4})\s+(?<time>[\d:.-]+)\s+(?<rss>\d+)\s*$/

/** Parses one row of ps, run with LC_ALL=C and TZ=UTC; undefined when it is none. */
export function parseRow(text: string): Row | undefined {
  const found = line.exec(text)?.groups
  if (found === undefined) return undefined
  const { pid, ppid, pgid, stat = '', tty = '', date = '', clock = '', year = '', time = '', rss } = found
  const startedMs = Date.parse(`${date} ${year} ${clock} UTC`)
  if (Number.isNaN(startedMs)) return undefined
  return {
    pid: Number(pid),
    ppid: Number(ppid),
    pgid: Number(pgid),
    zombie: stat.startsWith('Z'),
    // `??` on macOS, `?` on Linux, `-` on the BSDs.
    terminal: !/^(\?+|-)$/.test(tty),
    startedMs,
    cpuMs: parseTime(time),
    memory: Number(rss) * 1024,
  }
}

/**
 * Lists the user's processes with their original command lines and environments; root sees everyone's. Not those of
 * programs that System Integrity Protection restricts, as most of Apple's are (XNU, sysctl_procargsx).
 */
export function environmentArgs(uid: number): readonly string[] {
  const whose = uid === 0 ? ['-axww'] : ['-xww', '-U', String(uid)]
  return [...whose, '-E', '-o', 'pid=', '-o', 'command=']
}

/** Returns the pids of the lines that have a variable, `NAME=value`. */
export function pidsWith(lines: readonly string[], variable: string): ReadonlySet<number> {
  const wanted = [` ${variable} `, ` ${asPsShows(variable)} `]
  const found = lines.filter(line => wanted.some(text => `${line} `.includes(text)))
  return new Set(found.map(line => Number.parseInt(line, 10)).filter(pid => pid > 1))
}

/**
 * Returns a text as ps writes it with LC_ALL=C: by strvis(3) with VIS_NOSLASH (adv_cmds ps/print.c), which supports
 * ASCII alone there. `é`, as in the name of a home folder, becomes `M-CM-)`.
 */
export function asPsShows(text: string): string {
  return [...Buffer.from(text)].map(shownByte).join('')
}

function shownByte(byte: number): string {
  const low = byte & 0x7f
  const isPlain = low >= 0x20 && low < 0x7f
  if (byte < 0x80 && isPlain) return String.fromCharCode(byte)
  // With the eighth bit a space is written in octal, to be visible after "M-".
  if (byte === 0xa0) return '\\240'
  const meta = byte < 0x80 ? '' : 'M'
  if (isPlain) return `${meta}-${String.fromCharCode(low)}`
  return `${meta}^${low === 0x7f ? '?' : String.fromCharCode(low + 0x40)}`
}

/**
 * Returns the ms of a CPU time: `123:45.67` (minutes, seconds and hundredths) on macOS, `1-02:03:04` (days, hours, …)
 * on Linux.
 */
export function parseTime(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse()
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return Math.round((Number(days) * 86_400 + seconds) * 1000)
}
