import { isRecord } from '../engines/rows.ts'

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
}

/** Whether a value is the state of a container. */
export function isContainerState(value: unknown): value is ContainerState {
  if (!isRecord(value)) return false
  const { container, name, engine, startedMs, logFile } = value
  const texts = [container, name, engine].every(each => typeof each === 'string')
  return texts && typeof startedMs === 'number' && (logFile === undefined || typeof logFile === 'string')
}
