import { open, statfs } from 'node:fs/promises'
import type { LogSink } from '../../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'

interface Cause {
  readonly pattern: RegExp
  readonly code?: 'PORT_TAKEN'
  readonly meaning: string
  readonly hint: string
}

const isDamaged = 'its data is damaged'
export const damagedHint =
  'It is left as it is. Go back to a snapshot with `locald db restore`, or start empty: `locald service reset`.'

/** What PostgreSQL's own messages mean for who reads them; the first that fits. */
const causes: readonly Cause[] = [
  {
    pattern: /Address already in use/,
    code: 'PORT_TAKEN',
    meaning: 'its port is in use',
    hint: 'Stop what uses it, or take `port` away: locald then assigns a free one.',
  },
  {
    // One of 56 bytes for each server; the same error number as that of a full disk.
    pattern: /could not create context memory segment: No space left|Failed system call was shmget/,
    meaning: 'the system has no shared memory segment left',
    hint: 'List them with `ipcs -m`, and remove those of servers that were killed (no process is attached) with `ipcrm -m ID`. macOS has 32 for all programs.',
  },
  {
    pattern: /No space left on device/,
    meaning: 'the disk is full',
    hint: 'Free some space and start it again; what was committed is there.',
  },
  {
    pattern: /Read-only file system/,
    meaning: 'its data folder is read-only',
    hint: 'Make it writable and start it again; the data is as it was.',
  },
  {
    pattern: /lock file "postmaster\.pid" already exists|pre-existing context memory block/,
    meaning: 'another server uses its data',
    hint: 'End that server: its process number is in the log.',
  },
  {
    pattern: /database files are incompatible|incompatible with server|initialized by PostgreSQL version/,
    meaning: 'its data is of another version of PostgreSQL',
    hint: 'Set `version` to that of the data, or start empty: `locald service reset`.',
  },
  {
    pattern: /configuration file "postgresql\.auto\.conf" contains errors/,
    meaning: 'what ALTER SYSTEM set is refused',
    hint: 'Correct postgresql.auto.conf in its data folder; the data is as it was.',
  },
  {
    pattern: /bogus data in lock file/,
    meaning: 'the lock file in its data folder is damaged',
    hint: 'Remove postmaster.pid from that folder where no server uses it; the data is as it was.',
  },
  {
    pattern: /locald\.conf|invalid value for parameter|unrecognized configuration parameter|contains errors/,
    meaning: 'its settings are refused',
    hint: 'Correct `settings` of the service in locald.toml.',
  },
  {
    pattern: /(?:could not|cannot) (?:create|map|resize|open) (?:anonymous )?context memory/,
    meaning: 'there is no shared memory left',
    hint: 'Stop other servers, or give it less: settings = { shared_buffers = "16MB" }.',
  },
  {
    pattern: /could not access file "|could not load library "/,
    meaning: 'a library of it is missing',
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
    meaning: 'its data folder may not be used',
    hint: 'Make the folder yours, with mode 0700; the data is as it was.',
  },
]

function findErrorLines(lines: readonly string[]): readonly string[] {
  return lines.filter(line => /\b(?:FATAL|PANIC|ERROR|error|could not|invalid value|unrecognized)\b/.test(line))
}

function causeOf(lines: readonly string[]): Cause | undefined {
  const text = findErrorLines(lines).join('\n')
  return causes.find(({ pattern }) => pattern.test(text))
}

/** Why a server ended, from the lines it wrote: a message of its own words, and what to do. `who`: `db of shop`. */
export function diagnose(who: string, lines: readonly string[]): LocaldError {
  const errorLines = findErrorLines(lines)
  const cause = causeOf(lines)
  const detail =
    errorLines.find(line => cause?.pattern.test(line)) ?? errorLines[0] ?? lines.at(-1) ?? 'it said nothing'
  const words = detail.replace(/^.*?\b(?:FATAL|PANIC|ERROR|LOG|initdb: error|postgres): {1,2}/, '').trim()
  return new LocaldError(
    cause?.code ?? 'SERVICE_FAILED',
    `${who} did not start: ${cause === undefined ? '' : `${cause.meaning}: `}${words}`,
    {
      service: who,
      hint: cause?.hint ?? 'Its log says more: `locald logs`.',
    },
  )
}

/** Less than one segment of the server's log: bytes. */
const fullBytes = 16 * 1024 * 1024

/** The same for a server on a cluster. A full disk may have left no room for the line that says so. */
export async function diagnoseExit(who: string, cluster: string, lines: readonly string[]): Promise<LocaldError> {
  const isFull = causeOf(lines) === undefined && (await freeBytes(cluster)) < fullBytes
  return diagnose(who, isFull ? ['FATAL:  No space left on device'] : lines)
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.POSITIVE_INFINITY, bsize: 1 }))
  return bavail * bsize
}

/** What a running server says of data that it cannot read. */
export function damagedDataError(error: unknown): LocaldError {
  return new LocaldError('SERVICE_FAILED', `${isDamaged}: ${messageOf(error)}`, { hint: damagedHint, cause: error })
}

/** The end of a log is enough to tell why a server ended: bytes. */
const tailBytes = 64 * 1024

/** The lines a service wrote since a time (ms since the epoch), without their time and stream. */
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
