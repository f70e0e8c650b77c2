import { readFile } from 'node:fs/promises'
import type { Exit } from '../../kernel/plugin.ts'

/** The exit that a keeper recorded: `{"code", "signal", "endedMs"}`; undefined where there is no record. */
export async function readExit(file: string): Promise<Exit | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const code = 'code' in value && typeof value.code === 'number' ? value.code : null
    const signal = 'signal' in value && typeof value.signal === 'string' ? value.signal : null
    return { code, signal }
  } catch {
    return undefined
  }
}
