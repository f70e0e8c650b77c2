import { shortName } from '../../config/document/document.ts'
import { formatProblems } from '../../config/document/problems.ts'
import type { Path } from '../../config/document/table.ts'
import { LocaldError } from '../../errors.ts'
import { type EnvironmentInput, type EnvTable, nowhere } from './input.ts'

/** Returns what all of them resolve to. Waits for all, and throws their failures as one error. */
export async function resolveAll<T>(tries: readonly Promise<T>[], root: string): Promise<T[]> {
  const all = await Promise.allSettled(tries)
  const faults = all.flatMap(each => (each.status === 'rejected' ? [LocaldError.from(each.reason)] : []))
  if (faults.length > 0) throw mergeErrors(faults, root)
  return all.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
}

/** Merges errors of environments into one that lists them all. An error of another kind takes precedence. */
export function mergeErrors(errors: readonly LocaldError[], root: string): LocaldError {
  const unique = new Map(errors.flatMap(({ problems }) => problems).map(each => [JSON.stringify(each), each]))
  const other = errors.find(({ code }) => code !== 'ENV_UNRESOLVED') ?? (unique.size <= 1 ? errors[0] : undefined)
  const problems = [...unique.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  return (
    other ??
    new LocaldError('ENV_UNRESOLVED', formatProblems(problems, root), {
      hint: 'Set each of them, or write a default after `:-`. Nothing was changed.',
      problems,
    })
  )
}

/** Adds the service, key, file and line to an error. */
export async function explainError(
  { plan, service, locate }: EnvironmentInput,
  { path, later }: Pick<EnvTable, 'path' | 'later'>,
  name: string,
  error: LocaldError,
  missing: string | undefined,
): Promise<LocaldError> {
  if (error.code !== 'ENV_UNRESOLVED') return error
  const { file, line } = locate === undefined ? nowhere : await locate([...path, name])
  const key = [...path, name].join('.')
  const isLater = missing !== undefined && later.has(missing) && error.message === `\${${missing}} is not set`
  const message = `service '${service.name}': ${place(file, line, plan.path)}${key}: ${error.message}`
  const hint = isLater ? `Move '${name}' to the stronger layer that sets ${missing}: [env] cannot see it.` : error.hint
  return new LocaldError('ENV_UNRESOLVED', message, {
    service: service.name,
    ...(hint === undefined ? {} : { hint }),
    problems: [{ ...problem(error.message, file, line, [...path, name]), ...(hint === undefined ? {} : { hint }) }],
  })
}

/** Returns a place as the beginning of a message; empty for none. */
export function place(file: string | null, line: number | null, root: string): string {
  return file === null ? '' : `${shortName(file, root)}${line === null ? '' : `:${line}`}: `
}

/** Returns a problem of a configuration. */
export function problem(message: string, file: string | null, line: number | null, path: Path) {
  return { message, key: path.join('.'), ...(file === null ? {} : { file }), ...(line === null ? {} : { line }) }
}
