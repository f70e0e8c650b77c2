import { LocaldError } from '../../errors.ts'

/** Says in an error of another project where that is: `in /home/me/services`. */
export function inOtherProject(error: LocaldError, where: string): LocaldError {
  const { code, message, hint, problems, service } = error
  return new LocaldError(code, `${where}: ${message}`, {
    ...{ problems, cause: error },
    ...(hint === undefined ? {} : { hint }),
    ...(service === undefined ? {} : { service }),
  })
}
