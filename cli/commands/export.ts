import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import { realPath } from '../../kernel/lib/real-path.ts'
import type { ConfigAnswer, ConfigBody } from '../../kernel/protocol.ts'
import { createFolder } from '../../kernel/system/create-folder.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import { exists } from '../../kernel/system/stat.ts'
import { flagValue } from '../args/parse.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import type { Format, Note, OutputFile } from '../export/index.ts'
import { withDaemon } from '../follow/temporary-daemon.ts'
import { shortenPath } from '../output/errors.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** `locald export compose`: a compose file. */
export function exportCompose(context: Context): Promise<number> {
  return exportProject(context, 'compose')
}

/** `locald export procfile`: a Procfile. */
export function exportProcfile(context: Context): Promise<number> {
  return exportProject(context, 'procfile')
}

/** `locald export kubernetes`: manifests. */
export function exportKubernetes(context: Context): Promise<number> {
  return exportProject(context, 'kubernetes')
}

/** `locald export systemd`: units in a folder. */
export async function exportSystemd(context: Context): Promise<number> {
  const { args, cwd } = context
  const given = flagValue(args, 'output')
  const folder = given === undefined ? undefined : resolve(cwd, given)
  const { output, notes } = await readExport(context, 'systemd')
  const units = typeof output === 'string' ? [] : output
  if (folder !== undefined) await writeAll(folder, units, args.flags.has('force'))
  if (context.json) {
    printJson({ format: 'systemd', files: units, notes, ...(folder === undefined ? {} : { folder }) })
    return 0
  }
  if (folder === undefined)
    print(
      units
        .map(({ name, text }) => `# ${name}\n${text}`)
        .join('\n')
        .trimEnd(),
    )
  else print(units.map(({ name }) => `Wrote ${shortenPath(join(folder, name), cwd)}`).join('\n'))
  printAllNotes(notes, cwd)
  return 0
}

/** Writes all files, or none where one of them exists already. */
async function writeAll(folder: string, files: readonly OutputFile[], isForced: boolean): Promise<void> {
  const paths = files.map(({ name, text }) => ({ path: join(folder, name), text }))
  if (!isForced) for (const { path } of paths) await requireFree(path)
  try {
    createFolder(folder)
  } catch (error) {
    throw new LocaldError('USAGE', `cannot create ${folder}: ${messageOf(error)}`, {
      hint: 'Name another folder with `-o DIR`.',
      cause: error,
    })
  }
  for (const { path, text } of paths) await writeText(path, text, isForced)
}

async function readExport(context: Context, format: Format) {
  const body: ConfigBody = { path: context.cwd, env: callerEnvironment() }
  const answer = await withDaemon(context, daemon => daemon.post<ConfigAnswer>('/v1/config', body))
  const { exportAs } = await import('../export/index.ts')
  return await exportAs(format, answer)
}

async function exportProject(context: Context, format: Format): Promise<number> {
  const { args, cwd } = context
  const given = flagValue(args, 'output')
  const file = given === undefined ? undefined : resolve(cwd, given)
  const isForced = args.flags.has('force')
  if (file !== undefined && !isForced) await requireFree(file)
  const { output, notes } = await readExport(context, format)
  const text = typeof output === 'string' ? output : output.map(each => each.text).join('\n')
  if (file !== undefined) await writeText(file, text, isForced)
  if (context.json) {
    printJson({ format, text, notes, ...(file === undefined ? {} : { file }) })
    return 0
  }
  if (file === undefined) print(text.trimEnd())
  else print(`Wrote ${shortenPath(file, cwd)}`)
  printAllNotes(notes, cwd)
  return 0
}

function printAllNotes(notes: readonly Note[], cwd: string): void {
  printNotes('Not carried over:', notes, 'dropped', cwd)
  printNotes('Different from locald:', notes, 'changed', cwd)
}

function printNotes(title: string, notes: readonly Note[], kind: Note['kind'], cwd: string): void {
  const lines = notes
    .filter(note => note.kind === kind)
    .map(({ key, message, file, line }) => {
      const place = file === null ? '' : `${shortenPath(file, cwd)}${line === null ? '' : `:${line}`}: `
      return `  ${place}${key}: ${message}`
    })
  if (lines.length > 0) printStderr([title, ...lines].join('\n'))
}

async function requireFree(file: string): Promise<void> {
  if (await exists(file)) throw taken(file)
}

function taken(file: string): LocaldError {
  return new LocaldError('USAGE', `${file} exists already`, {
    hint: 'Name another file with `-o FILE`, or replace it with `--force`.',
  })
}

/** Writes the file whole or not at all. */
async function writeText(file: string, text: string, isForced: boolean): Promise<void> {
  const target = isForced && (await exists(file)) ? await realPath(file) : file
  const beforeReplace = () => {
    if (!isForced && existsSync(file)) throw taken(file)
  }
  try {
    writeAtomic(target, text, { durable: false, mode: 0o666 & ~process.umask(), beforeReplace })
  } catch (error) {
    if (LocaldError.is(error)) throw error
    throw new LocaldError('USAGE', `cannot write ${file}: ${messageOf(error)}`, {
      hint: 'Name another file with `-o FILE`.',
      cause: error,
    })
  }
}

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
