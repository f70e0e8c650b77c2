import type { Log } from '../contract/plugin.ts'
import { LogWriter } from './writer.ts'

/** The daemon's log: three files of 1 MB. What Node itself prints of a crash goes to the same file. */
const maxBytes = 1000 * 1000
const maxFiles = 3

/** Control characters but tab and newline, and those that turn the direction of writing. */
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The daemon's log file, by who speaks. Control characters of files and requests are escaped, so that no terminal obeys them. */
export function daemonLog(file: string): (owner: string) => Log {
  const writer = new LogWriter(file, maxBytes, maxFiles)
  const write = (stream: string, text: string) => writer.write(stream, text.replace(controls, escaped))
  return owner => ({
    info: text => write('info', `${owner}: ${text}`),
    warn: text => write('warn', `${owner}: ${text}`),
    error: text => write('error', `${owner}: ${text}`),
  })
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
