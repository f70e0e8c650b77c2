import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import { readText, writeAtomic } from '../../system/files.ts'

const kinds = ['services', 'projects'] as const

/**
 * Moves the records of earlier versions, which kept them in the runtime folder, to their present folder. When both
 * exist, those are the newer ones.
 */
export function moveRecords(runtime: string, folder: string, log: Log): void {
  for (const kind of kinds) {
    const from = join(runtime, kind)
    try {
      const names = existsSync(from) ? readdirSync(from).filter(name => name.endsWith('.json')) : []
      for (const name of names) writeAtomic(join(folder, kind, name), readText(join(from, name)), { durable: false })
      rmSync(from, { recursive: true, force: true })
    } catch (error) {
      log.warn(`could not move the records in ${from}: ${messageOf(error)}`)
    }
  }
}
