import { constants } from 'node:os'
import type { Exit } from '../../../kernel/contract/plugin.ts'

/** A shell and an engine report a process that a signal killed as 128 and its number. */
const signalBase = 128
const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** Returns the exit that an engine's exit code stands for. */
export function exitOf(code: number | null): Exit {
  const signal = code === null ? undefined : names.get(code - signalBase)
  return signal === undefined ? { code, signal: null } : { code: null, signal }
}
