import { isRecord } from '../../lib/json.ts'
import { tryEngine } from '../calls/run-engine.ts'
import type { Engine } from '../provides.ts'

/** The state of a container. */
export interface Inspected {
  readonly isRunning: boolean
  /** Null while it runs. */
  readonly exitCode: number | null
  /** Whether the kernel killed it, as it needed more than its memory limit. */
  readonly wasOutOfMemory: boolean
  /** Why the engine could not start it. */
  readonly error: string
}

/** Reads the state of a container; undefined where there is none of this name or id. */
export async function inspectContainer(engine: Engine, id: string): Promise<Inspected | undefined> {
  const { code, stdout } = await tryEngine(engine, [
    'inspect',
    '--type',
    'container',
    '--format',
    '{{json .State}}',
    id,
  ])
  if (code !== 0) return undefined
  const state: unknown = JSON.parse(stdout)
  if (!isRecord(state)) return undefined
  const isRunning = state['Running'] === true || state['Paused'] === true
  return {
    isRunning,
    exitCode: isRunning ? null : Number(state['ExitCode'] ?? 0),
    wasOutOfMemory: state['OOMKilled'] === true,
    error: String(state['Error'] ?? ''),
  }
}
