/** One row of `ps` as asked for with `psArgs`. */
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
 * All processes, one line each, without a heading. Each column has an `-o` of its own: after `=` macOS takes all the
 * rest of an argument, commas too, for the heading (ps(1)).
 */
export const psArgs: readonly string[] = ['-axww', ...columns.flatMap(column => ['-o', `${column}=`])]

const line =
  /^\s*(?<pid>\d+)\s+(?<ppid>\d+)\s+(?<pgid>\d+)\s+(?<stat>\S+)\s+(?<tty>\S+)\s+[A-Z][a-z]{2}\s+(?<date>\S+\s+\S+)\s+(?<clock>[\d:]{8})\s+(?<year>\d{4})\s+(?<time>[\d:.-]+)\s+(?<rss>\d+)\s*$/

/** The rows of ps, run with LC_ALL=C and TZ=UTC. What is no row is left out. */
export function parsePs(text: string): readonly Row[] {
  return text.split('\n').flatMap(row => {
    const found = line.exec(row)?.groups
    if (found === undefined) return []
    const { pid, ppid, pgid, stat = '', tty = '', date = '', clock = '', year = '', time = '', rss } = found
    const startedMs = Date.parse(`${date} ${year} ${clock} UTC`)
    if (Number.isNaN(startedMs)) return []
    return [
      {
        pid: Number(pid),
        ppid: Number(ppid),
        pgid: Number(pgid),
        zombie: stat.startsWith('Z'),
        // `??` on macOS, `?` on Linux, `-` on the BSDs.
        terminal: !/^(\?+|-)$/.test(tty),
        startedMs,
        cpuMs: parseTime(time),
        memory: Number(rss) * 1024,
      },
    ]
  })
}

/**
 * All processes with their command lines and environments. macOS shows the environments of the user's own processes, as they were
 * given; not those of programs that System Integrity Protection restricts, as most of Apple's are (XNU, sysctl_procargsx).
 */
export const environmentArgs: readonly string[] = ['-axww', '-E', '-o', 'pid=', '-o', 'command=']

/** The pids of the lines that have a variable, `NAME=value`. */
export function pidsWith(text: string, variable: string): ReadonlySet<number> {
  const lines = text.split('\n').filter(line => `${line} `.includes(` ${variable} `))
  return new Set(lines.map(line => Number.parseInt(line, 10)).filter(pid => pid > 1))
}

/** ms of a CPU time: `123:45.67` (minutes, seconds and hundredths) on macOS, `1-02:03:04` (days, hours, …) on Linux. */
export function parseTime(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse()
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return Math.round((Number(days) * 86_400 + seconds) * 1000)
}
