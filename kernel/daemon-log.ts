import { LogWriter } from './log-file.ts'
import type { Log } from './plugin.ts'

/** The daemon's log: three files of 1 MB. What Node itself prints of a crash goes to the same file. */
const maxBytes = 1000 * 1000
const maxFiles = 3

/** The daemon's log file, by who speaks. */
export function daemonLog(file: string): (owner: string) => Log {
  const writer = new LogWriter(file, maxBytes, maxFiles)
  return owner => ({
    info: text => writer.write('info', `${owner}: ${text}`),
    warn: text => writer.write('warn', `${owner}: ${text}`),
    error: text => writer.write('error', `${owner}: ${text}`),
  })
}
