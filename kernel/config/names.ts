export { labelOf } from '../lib/label.ts'

/** A DNS label in lower case (RFC 1123): the name of a project or service. */
export const labelPattern = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'

const reservedPattern = '(^|\\.)(wpad|isatap)\\.|\\.internal$'

/** A DNS name in lower case of at least two labels, the last not a number, that is not reserved. */
export const domainPattern = `^(?!.*(${reservedPattern}))([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+(?![0-9]+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`

/** The name of a variable that every shell can set (POSIX 2024, 3.216). */
export const variablePattern = '^[A-Za-z_][A-Za-z0-9_]*$'

/** The rule for names, for messages. */
export const labelRule = "must be 1 to 63 lower-case letters, digits or '-', with no '-' at either end"

const label = new RegExp(labelPattern)
const domain = new RegExp(domainPattern)
const reserved = new RegExp(reservedPattern)
const variable = new RegExp(variablePattern)

export function isLabel(text: string): boolean {
  return label.test(text)
}

export function isDomain(text: string): boolean {
  return text.length <= 253 && domain.test(text)
}

export function isVariable(text: string): boolean {
  return variable.test(text)
}

/**
 * Whether other programs of the machine rely on a domain: companies, clouds and container engines have names below
 * `internal`, and programs look for `wpad` and `isatap` in any domain.
 */
export function isReserved(domain: string): boolean {
  return reserved.test(domain)
}
