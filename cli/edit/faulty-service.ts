import { dotted } from '../../kernel/config/document/table.ts'
import { LocaldError, type Problem } from '../../kernel/errors.ts'

/**
 * Returns the error of a draft as one of the arguments that its new service was made of: without the line of a text that
 * is not written. An error of the rest of the file stays as it is.
 */
export function toArgumentError(error: unknown, name: string): unknown {
  if (!LocaldError.is(error) || error.problems.length === 0) return error
  const table = dotted(['services', name])
  const isOfService = (key: string) => key === table || key.startsWith(`${table}.`)
  if (!error.problems.every(({ key }) => key !== undefined && isOfService(key))) return error
  const problems = error.problems.map(({ key = '', message, hint }) => {
    const inside = key.slice(table.length + 1)
    return { message, ...(inside === '' ? {} : { key: inside }), ...(hint === undefined ? {} : { hint }) }
  })
  const lines = problems.map(({ key, message }) => (key === undefined ? message : `${key}: ${message}`))
  const text = lines.length === 1 ? ` ${lines.join('')}` : `\n  ${lines.join('\n  ')}`
  const hints = [...new Set(problems.flatMap(({ hint }) => hint ?? []))]
  return new LocaldError('USAGE', `cannot add service '${name}':${text}`, {
    hint: ['Nothing was written.', ...hints, 'Run `locald ai schema` for all keys.'].join(' '),
    problems,
    cause: error,
  })
}

/**
 * Returns the error of a draft without a service as one that names each place where the service is used. What was wrong
 * before, too, stays an error of the file.
 */
export function toUsedError(error: unknown, name: string, before: readonly Problem[]): unknown {
  if (!LocaldError.is(error) || error.problems.length === 0) return error
  const known = new Set(before.map(problem => JSON.stringify(problem)))
  const found = error.problems.filter(problem => !known.has(JSON.stringify(problem)))
  if (found.length === 0) return error
  const problems = found.map(({ message, hint: _, ...place }) => ({
    ...place,
    message: message.includes(`'${name}'`) ? `uses '${name}'` : message,
  }))
  return new LocaldError('USAGE', `cannot remove service '${name}', which is still used`, {
    hint: 'Remove these first. Nothing was changed.',
    problems,
    cause: error,
  })
}
