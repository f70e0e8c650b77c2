import { isRecord } from '../../lib/json.ts'

/** What the next daemon needs to adopt a container: JSON. */
export interface ContainerState {
  /** The container's id. */
  readonly container: string
  readonly name: string
  /** The engine's name. */
  readonly engine: string
  /** ms since the epoch. */
  readonly startedMs: number
  /** Where the engine itself writes the log, on this machine. */
  readonly logFile?: string
  /** The container's first process on this machine, while it runs. */
  readonly pid?: number
}

/** Whether a value is the state of a container. */
export function isContainerState(value: unknown): value is ContainerState {
  if (!isRecord(value)) return false
  const { container, name, engine, startedMs, logFile, pid } = value
  const texts = [container, name, engine].every(each => typeof each === 'string')
  const isOptional =
    (logFile === undefined || typeof logFile === 'string') && (pid === undefined || typeof pid === 'number')
  return texts && typeof startedMs === 'number' && isOptional
}
