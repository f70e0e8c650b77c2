import { spawn } from 'node:child_process'
import { LocaldError, systemCode } from '../../../kernel/errors.ts'
import type { OneOffAnswer, OneOffBody, UseBody } from '../../../kernel/protocol.ts'
import { callerEnvironment } from '../../context.ts'
import { describeStartError, exitCodeOf } from '../../daemon/child-exit.ts'
import { sanitizeLogText } from '../../output/log-format.ts'
import { shortName } from '../../output/service-state.ts'
import { defaultSeconds } from '../operation.ts'
import { OutputBuffer } from '../output-buffer.ts'
import type { Item, Report } from '../pages.ts'
import { describePlace, findPlace } from '../place.ts'
import type { Session } from '../session.ts'
import { sizeOf } from '../size.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly service: string
  readonly command: string
  readonly timeout?: number
}

/** Bytes of the first page for the last lines: what a command prints last says how it went. */
const lastBytes = 9000
/** After SIGTERM, ms. */
const graceMs = 2000

/** The schema of how long a command may take. */
export const runTimeout = {
  timeout: {
    type: 'number',
    minimum: 0,
    maximum: 3600,
    description: `Seconds; default ${defaultSeconds}. Then it is killed`,
  },
} as const

/** The schema of what a command answers. */
export const runOutput = {
  exitCode: { type: ['integer', 'null'] },
  timedOut: { type: 'boolean' },
  lines: { type: 'array', items: { type: 'string' } },
} as const

/** Runs a command in a service's place. */
export const run = defineTool<Args>({
  name: 'run',
  title: 'Run a command',
  description:
    "Runs a shell command in a service's folder with its environment (DATABASE_URL, PORT and the like) and returns its exit code and the end of its output; secrets are masked. For tests and migrations; not for servers: use `up`.",
  input: {
    service: { type: 'string', description: 'The service whose environment and folder it gets' },
    command: { type: 'string', description: 'A line for `sh -c`' },
    ...runTimeout,
  },
  required: ['service', 'command'],
  output: runOutput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
  run: (session, { command, ...target }, signal) =>
    runAndReport(session, { ...target, what: { argv: ['sh', '-c', command] } }, signal),
})

/** What to run, and for which service. */
export interface RunTarget extends Pick<CommonArgs, 'project'> {
  readonly service: string
  readonly timeout?: number
  readonly what: Pick<OneOffBody, 'argv' | 'command'>
}

/** Runs a command in a service's place; what it needs and sleeps is started before, and in use meanwhile. */
export async function runAndReport(
  session: Session,
  { project, service, timeout = defaultSeconds, what }: RunTarget,
  signal: AbortSignal,
): Promise<Report> {
  const daemon = await session.daemon()
  const place = await findPlace(session, daemon, project)
  const body: OneOffBody = { path: place.path, service, env: callerEnvironment(), ...what, wake: true }
  const answer = await daemon.post<OneOffAnswer>('/v1/services/one-off', body, null)
  signal.throwIfAborted()
  const begunMs = Date.now()
  const started = (pid: number) => {
    const use: UseBody = { path: place.path, services: [service], pid }
    // Without it the command runs as well; what it uses may only fall asleep.
    daemon.post('/v1/services/use', use).catch(() => undefined)
  }
  const limits = { ms: timeout * 1000, cancelled: signal, started }
  const { code, isLate, output } = await runCaptured(session, answer, answer.argv ?? what.argv ?? [], limits)
  const lines = output.lines().map((line): Item => {
    const text = sanitizeLogText(line, false)
    return { text, data: text }
  })
  const split = splitLast(lines)
  const head = [
    describePlace(place),
    `${isLate ? `Killed after ${timeout} s` : `Exited with code ${code}`} (${((Date.now() - begunMs) / 1000).toFixed(1)} s, ${output.count} lines)`,
    ...(answer.notRunning.length > 0
      ? [`Not running: ${answer.notRunning.map(shortName).join(', ')}; call \`up\` first.`]
      : []),
    ...(split > 0 ? [`The last ${lines.length - split} lines; earlier ones by cursor.`] : []),
  ]
  return {
    head: head.join('\n'),
    facts: { project: place, exitCode: isLate ? null : code, timedOut: isLate },
    list: 'lines',
    items: [...lines.slice(split), ...lines.slice(0, split)],
    ...(split > 0 ? { most: lines.length - split } : {}),
    ...(code === 0 && !isLate ? {} : { isError: true }),
  }
}

/** Returns from which line on the last ones fit. */
function splitLast(lines: readonly Item[]): number {
  let room = lastBytes
  for (let at = lines.length; at > 0; at--) {
    room -= sizeOf(lines[at - 1]?.text) + 2
    if (room < 0) return Math.min(at, lines.length - 1)
  }
  return 0
}

interface Captured {
  readonly code: number
  readonly isLate: boolean
  readonly output: OutputBuffer
}

/** Runs a program without a terminal, in a process group of its own, which is killed after the limit, and when it is cancelled. */
function runCaptured(
  session: Session,
  { dir, env }: OneOffAnswer,
  [program = 'sh', ...args]: readonly string[],
  limits: { readonly ms: number; readonly cancelled: AbortSignal; started(pid: number): void },
): Promise<Captured> {
  return new Promise((resolve, reject) => {
    const output = new OutputBuffer()
    const child = startChild(program, args, { dir, env })
    if (child.pid !== undefined) limits.started(child.pid)
    const kill = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // It has exited.
      }
    }
    const stop = () => kill('SIGKILL')
    session.running.add(stop)
    limits.cancelled.addEventListener('abort', stop, { once: true })
    let isLate = false
    const timers = [
      setTimeout(() => {
        isLate = true
        kill('SIGTERM')
        timers.push(setTimeout(stop, graceMs))
      }, limits.ms),
    ]
    const settle = (): void => {
      for (const timer of timers) clearTimeout(timer)
      session.running.delete(stop)
      limits.cancelled.removeEventListener('abort', stop)
    }
    child.stdout.on('data', (bytes: Buffer) => output.push('stdout', bytes))
    child.stderr.on('data', (bytes: Buffer) => output.push('stderr', bytes))
    child.once('error', error => {
      settle()
      reject(startError(program, error))
    })
    child.once('exit', (code, signal) => {
      // What it has left in the background holds the pipes; it is stopped with the command.
      kill('SIGTERM')
      const end = setTimeout(() => {
        stop()
        child.stdout.destroy()
        child.stderr.destroy()
      }, graceMs)
      child.once('close', () => {
        clearTimeout(end)
        settle()
        resolve({ code: exitCodeOf(code, signal), isLate, output })
      })
    })
  })
}

/** Starts a program. Throws SPAWN_FAILED where the system refuses its arguments. */
function startChild(program: string, args: readonly string[], { dir, env }: Pick<OneOffAnswer, 'dir' | 'env'>) {
  try {
    return spawn(program, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  } catch (error) {
    throw startError(program, error)
  }
}

function startError(program: string, error: unknown): LocaldError {
  if (systemCode(error) !== 'E2BIG') return new LocaldError('SPAWN_FAILED', describeStartError(program, error))
  return new LocaldError('SPAWN_FAILED', 'the command is too long for this system', {
    hint: 'Write it to a file, and run that file.',
  })
}
