import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import { flagValue } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print, printJson } from '../output/terminal.ts'

/** `locald export session`: writes a zip file for a bug report. */
export async function exportSession(context: Context): Promise<number> {
  const given = flagValue(context.args, 'output')
  const file = resolve(context.cwd, given ?? defaultName())
  const daemon = await requireDaemon(context.paths)
  write(file, await daemon.download('/v1/session/export'), given !== undefined)
  if (context.json) printJson({ file })
  else print(file)
  return 0
}

/** Writes a file that only its owner can read. A file that was not named is not replaced. */
function write(file: string, bytes: Buffer, isNamed: boolean): void {
  try {
    writeFileSync(file, bytes, { mode: 0o600, flag: isNamed ? 'w' : 'wx' })
  } catch (error) {
    const message =
      systemCode(error) === 'EEXIST' ? `${file} exists already` : `cannot write ${file}: ${messageOf(error)}`
    throw new LocaldError('USAGE', message, { hint: 'Name another file with `-o FILE`.', cause: error })
  }
}

function defaultName(): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  return `locald-session-${time}.zip`
}
