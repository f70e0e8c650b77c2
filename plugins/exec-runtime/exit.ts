import { readFile } from 'node:fs/promises'
import type { Exit } from '../../kernel/plugin.ts'

/** The exit that a keeper recorded: `{"code", "signal", "endedMs"}`; undefined where there is no record. */
export async function readExit(file: string): Promise<Exit | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? exitOf({ ...value }) : undefined
  } catch {
    return undefined
  }
}

/** The exit in a keeper's event or record. */
export function exitOf({ code, signal }: Readonly<Record<string, unknown>>): Exit {
  return { code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null }
}
