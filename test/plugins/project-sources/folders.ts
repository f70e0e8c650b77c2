import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { inferFolder } from '../../../kernel/config/sources/inference.ts'
import { Trust } from '../../../kernel/config/trust/trust.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { InferredAnswer } from '../../../kernel/protocol.ts'
import { detectorsWith } from '../../../plugins/project-sources/index.ts'

/** Text files by their paths. */
export type Files = Readonly<Record<string, string>>

/** Creates a folder `shop` with these files, in a folder of its own. */
export function folderOf(t: Test, files: Files): string {
  const folder = join(t.testdir(), 'shop')
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const types = ['exec', 'worker', 'container', 'site']

/** Infers the project of a folder with all detectors. */
export async function infer(
  folder: string,
  names: readonly string[] = types,
  hasEngine = true,
): Promise<InferredAnswer> {
  const sources = detectorsWith(() => hasEngine)
  return inferFolder(folder, { sources, names }, { trust: new Trust(), home: '/nowhere' })
}

/** As `infer`, for what fails. */
export async function failureOf(folder: string, names = types): Promise<LocaldError> {
  const error: unknown = await infer(folder, names).catch((thrown: unknown) => thrown)
  if (!LocaldError.is(error)) throw new Error(`${folder} was inferred`)
  return error
}

/** Formats the services: `web: npm run dev`, `job (worker, in a): x`. */
export function lines({ services }: InferredAnswer): readonly string[] {
  return Object.entries(services).map(([name, table]) => {
    const { type, workdir, command, path } = table
    const more = [type, workdir === undefined ? undefined : `in ${workdir}`].filter(part => part !== undefined)
    return `${name}${more.length === 0 ? '' : ` (${more.join(', ')})`}: ${command ?? path}`
  })
}
