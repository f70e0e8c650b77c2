import { open, statfs } from 'node:fs/promises'
import type { LogSink } from '../../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'

interface Cause {
  readonly pattern: RegExp
  readonly code?: 'PORT_TAKEN'
  readonly meaning: string
  readonly hint: string
}

const isDamaged = 'its data is corrupt'
export const damagedHint =
  'Restore a snapshot with `locald db restore`, or start empty with `locald service reset`; the data was not changed.'

/** What PostgreSQL's messages mean for the user; the first match wins. */
const causes: readonly Cause[] = [
  {
    pattern: /Address already in use/,
    code: 'PORT_TAKEN',
    meaning: 'port in use',
    hint: 'Stop the program that uses it, or remove `port`: locald then assigns a free one.',
  },
  {
    // One of 56 bytes for each server; the error number is that of a full disk.
    pattern: /could not create shared memory segment: No space left|Failed system call was shmget/,
    meaning: 'no shared memory segment left',
    hint: 'List them with `ipcs -m`, and remove those of servers that were killed (no process is attached) with `ipcrm -m ID`. macOS has 32 for all programs.',
  },
  {
    pattern: /No space left on device/,
    meaning: 'disk full',
    hint: 'Free some space and start the service again; no committed data is lost.',
  },
  {
    pattern: /Read-only file system/,
    meaning: 'data folder is read-only',
    hint: 'Make it writable and start the service again; the data was not changed.',
  },
  {
    pattern: /lock file "postmaster\.pid" already exists|pre-existing shared memory block/,
    meaning: 'another server uses its data folder',
    hint: 'Stop that server: its pid is in the log.',
  },
  {
    pattern: /database files are incompatible|incompatible with server|initialized by PostgreSQL version/,
    meaning: 'data of another version of PostgreSQL',
    hint: 'Set `version` to that of the data, or start empty: `locald service reset`.',
  },
  {
    pattern: /configuration file "postgresql\.auto\.conf" contains errors/,
    meaning: 'a setting from ALTER SYSTEM was rejected',
    hint: 'Correct postgresql.auto.conf in its data folder; the data was not changed.',
  },
  {
    pattern: /bogus data in lock file/,
    meaning: 'the lock file in its data folder is corrupt',
    hint: 'Remove postmaster.pid from that folder if no server uses it; the data was not changed.',
  },
  {
    pattern: /locald\.conf|invalid value for parameter|unrecognized configuration parameter|contains errors/,
    meaning: 'its settings were rejected',
    hint: 'Correct `settings` of the service in locald.toml.',
  },
  {
    pattern: /(?:could not|cannot) (?:create|map|resize|open) (?:anonymous )?shared memory/,
    meaning: 'no shared memory left',
    hint: 'Stop other servers, or give it less: settings = { shared_buffers = "16MB" }.',
  },
  {
    pattern: /could not access file "|could not load library "/,
    meaning: 'a library is missing',
    hint: 'Correct `shared_preload_libraries` in `settings`, or install the extension.',
  },
  {
    pattern:
      /PANIC|could not locate a valid checkpoint|could not read|could not open (?:file|directory)|invalid (?:checkpoint|page|record|data in)|incorrect checksum|backup_label|is not a valid data directory|calculated CRC|required WAL directory|could not access (?:the server configuration file|status of transaction)/,
    meaning: isDamaged,
    hint: damagedHint,
  },
  {
    pattern: /Permission denied|has wrong ownership|has invalid permissions/,
    meaning: 'permission denied on its data folder',
    hint: 'Change its owner to you and its mode to 0700; the data was not changed.',
  },
]

function findErrorLines(lines: readonly string[]): readonly string[] {
  return lines.filter(line => /\b(?:FATAL|PANIC|ERROR|error|could not|invalid value|unrecognized)\b/.test(line))
}

function causeOf(lines: readonly string[]): Cause | undefined {
  const text = findErrorLines(lines).join('\n')
  return causes.find(({ pattern }) => pattern.test(text))
}

/** Returns why a server exited, from its output: its own message, the cause and a hint. `who`: `db of shop`. */
export function diagnose(who: string, lines: readonly string[]): LocaldError {
  const errorLines = findErrorLines(lines)
  const cause = causeOf(lines)
  const detail = errorLines.find(line => cause?.pattern.test(line)) ?? errorLines[0] ?? lines.at(-1) ?? '(no message)'
  const words = detail.replace(/^.*?\b(?:FATAL|PANIC|ERROR|LOG|initdb: error|postgres): {1,2}/, '').trim()
  return new LocaldError(
    cause?.code ?? 'SERVICE_FAILED',
    `${who} failed to start: ${cause === undefined ? '' : `${cause.meaning}: `}${words}`,
    {
      service: who,
      hint: cause?.hint ?? 'Run `locald logs` for details.',
    },
  )
}

/** Less than one segment of the server's log: bytes. */
const fullBytes = 16 * 1024 * 1024

/** Returns the same for a server on a cluster. A full disk may have had no space for the line that reports it. */
export async function diagnoseExit(who: string, cluster: string, lines: readonly string[]): Promise<LocaldError> {
  const isFull = causeOf(lines) === undefined && (await freeBytes(cluster)) < fullBytes
  return diagnose(who, isFull ? ['FATAL:  No space left on device'] : lines)
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.POSITIVE_INFINITY, bsize: 1 }))
  return bavail * bsize
}

/** Returns the error for data that a running server cannot read. */
export function damagedDataError(error: unknown): LocaldError {
  return new LocaldError('SERVICE_FAILED', `${isDamaged}: ${messageOf(error)}`, { hint: damagedHint, cause: error })
}

/** The size of a log's end that contains the reason of an exit: bytes. */
const tailBytes = 64 * 1024

/** Returns the lines that a service wrote since a time (ms since the epoch), without their time and stream. */
export async function readLinesSince({ file }: LogSink, sinceMs: number): Promise<readonly string[]> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return []
  try {
    const { size } = await handle.stat()
    const start = Math.max(0, size - tailBytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(tailBytes), 0, tailBytes, start)
    const since = new Date(sinceMs).toISOString().slice(0, 23)
    return buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .flatMap(line => {
        const [, time, text] = /^(\S+)Z (?:stdout|stderr) [FP] (.*)$/.exec(line) ?? []
        return time !== undefined && text !== undefined && time >= since ? [text] : []
      })
  } finally {
    await handle.close()
  }
}
