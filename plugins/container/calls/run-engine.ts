import { LocaldError } from '../../../kernel/errors.ts'
import { type ProgramResult, runProgram } from '../../lib/programs.ts'
import type { CommandOptions, Engine } from '../provides.ts'

/** How an engine's command is run to its end. */
export interface EngineRunOptions extends CommandOptions {
  /** It is killed after this time; default `usualMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Limit of an ordinary command: engines on a busy machine have a long tail: ms. */
export const usualMs = 30_000
/** Limit of what makes a container: ms. */
export const longMs = 600_000

/** Runs a command of an engine, and returns its outcome whatever it is. */
export function tryEngine(
  engine: Engine,
  args: readonly string[],
  { timeoutMs = usualMs, signal, ...options }: EngineRunOptions = {},
): Promise<ProgramResult> {
  const { argv, env, input } = engine.command(args, options)
  const [program, ...rest] = argv
  const given = input === undefined ? {} : { input }
  return runProgram(program, rest, { env, timeoutMs: timeoutMs * (engine.patience ?? 1), signal, ...given })
}

/** Runs a command of an engine, and returns its output. Throws ENGINE_FAILED with what it said. */
export async function runEngine(engine: Engine, args: readonly string[], options?: EngineRunOptions): Promise<string> {
  const result = await tryEngine(engine, args, options)
  if (result.code === 0) return result.stdout
  options?.signal?.throwIfAborted()
  throw engineError(engine, args[0] ?? '', result)
}

/** Returns the error of a command that failed. */
export function engineError({ name }: Engine, verb: string, result: ProgramResult): LocaldError {
  return new LocaldError('ENGINE_FAILED', `\`${name} ${verb}\` failed: ${reasonOf(result)}`, {
    hint: `Run \`locald doctor\`, which tries ${name} out.`,
  })
}

/** Returns what a command that failed said, in one line: its last line, without the engine's prefixes. */
export function reasonOf({ stderr, failure, code }: ProgramResult): string {
  const lines = stderr.split('\n').map(line => line.trim())
  const said = lines.findLast(line => line !== '' && !isNoise(line))
  return said?.replace(/^(?:Error(?: response from daemon)?: )+/, '') ?? failure ?? `exit code ${code}`
}

/** Warnings of podman that stand before and after the error: logrus lines below the level `error`. */
function isNoise(line: string): boolean {
  return /^time="[^"]*" level=(?:debug|info|warning)/.test(line) || /^See '.* --help'/.test(line)
}
