import type { Log } from '../contract/plugin.ts'
import { LogWriter } from './writer.ts'

/** The daemon's log has three files of 1 MB. Node's own crash output goes to the same file. */
const maxBytes = 1000 * 1000
const maxFiles = 3

/** Control characters except tab and newline, and those that change the writing direction. */
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * Creates the log of the daemon, with a prefix per owner. Escapes control characters from files and requests, which a
 * terminal would obey.
 */
export function daemonLog(file: string): (owner: string) => Log {
  const writer = new LogWriter(file, maxBytes, maxFiles)
  const write = (stream: string, text: string) => writer.write(stream, text.replace(controls, escapeControl))
  return owner => ({
    info: text => write('info', `${owner}: ${text}`),
    warn: text => write('warn', `${owner}: ${text}`),
    error: text => write('error', `${owner}: ${text}`),
  })
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
