import { LocaldError } from '../../kernel/errors.ts'

/** Makes the CONFIG_INVALID of a file, relative to the project. The message quotes nothing of it: it may hold secrets. */
export function faultIn(file: string, message: string, line?: number): LocaldError {
  const problem = { file, message, ...(line === undefined ? {} : { line }) }
  return new LocaldError('CONFIG_INVALID', `${file}: ${message}`, { problems: [problem] })
}

/** Returns the 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
