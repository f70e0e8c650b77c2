import type { Translation } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import type { TranslationBody } from '../../protocol.ts'
import type { Sources } from './inference.ts'
import { TrustedFolder } from './project-folder.ts'
import type { Reader } from './read.ts'

/** Translates files of a format that a detector knows, for the reader's folder. Throws what the translator throws. */
export async function translateFiles(
  reader: Reader,
  { sources, names }: Sources,
  { format, files }: Pick<TranslationBody, 'format' | 'files'>,
): Promise<Translation> {
  const translators = sources.flatMap(it => ('detect' in it ? (it.translator ?? []) : []))
  const translator = translators.find(it => it.format === format)
  if (translator !== undefined) return await translator.translate(new TrustedFolder(reader, names), files)
  const known = translators.map(it => it.format).join(', ')
  throw new LocaldError('REQUEST_INVALID', `format '${format}' is unknown`, {
    hint: known === '' ? 'Enable the plugin that reads it.' : `Use one of ${known}.`,
  })
}
