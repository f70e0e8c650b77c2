import { LocaldError } from '../../errors.ts'
import { isVariable } from '../names.ts'
import { parseForeignKey } from './foreign-key.ts'

/** The name in a `${…}`. */
export type Name =
  | { readonly of: 'variable'; readonly name: string }
  /**
   * `field` is `ports.9001` for the port that the service has inside; `service` is `PROJECT:SERVICE` in another
   * project.
   */
  | { readonly of: 'service'; readonly service: string; readonly field: string }
  | { readonly of: 'project'; readonly field: 'name' | 'domain' }

/**
 * A `${…}`: its text, its name, and the default (`:-`) or the error (`:?`) that applies when that is unset or empty.
 */
export interface Reference {
  readonly text: string
  readonly name: Name
  readonly fallback?: readonly Part[]
  readonly refusal?: string
}

/** A piece of a text with references. */
export type Part = string | Reference

/** The values that references may read; undefined where there is none. */
export interface Scope {
  readonly project: { readonly name: string; readonly domain: string }
  variable(name: string): string | undefined
  service(name: string, field: string): string | undefined
}

/** Why a `${` is malformed. It names the column only: the text may be a secret. */
export interface Malformed {
  readonly malformed: string
}

const head =
  /(?:(?:services|projects\.([A-Za-z0-9-]+))\.([A-Za-z0-9-]+)\.(ports\.\d+|[A-Za-z_][A-Za-z0-9_]*)|project\.(name|domain)|([A-Za-z_][A-Za-z0-9_]*))(?=[}:])/y

/** The limit of nested defaults. */
const depthLimit = 10

/**
 * Parses a text's references: `${VAR}`, `${services.NAME.FIELD}` (also `ports.9001`), the same of another project,
 * `${projects.PROJECT.NAME.FIELD}`, and `${project.name|domain}`, each with `:-default` (which may hold references) or
 * `:?message`; `$${` is a literal `${`. A `$` without a brace is only a `$`. With `lenient`, a malformed reference is
 * literal text.
 */
export function parseTemplate(text: string, lenient = false): readonly Part[] | Malformed {
  return new Reader(text, lenient).parts(0)
}

class Reader {
  readonly #text: string
  readonly #lenient: boolean
  readonly #lastBrace: number
  #at = 0

  constructor(text: string, lenient: boolean) {
    this.#text = text
    this.#lenient = lenient
    this.#lastBrace = text.lastIndexOf('}')
  }

  /** Reads the parts up to the end, or inside a default up to its closing brace. */
  parts(depth: number): readonly Part[] | Malformed {
    const parts: Part[] = []
    let literal = ''
    while (this.#at < this.#text.length) {
      const start = this.#at
      if (depth > 0 && this.#text[start] === '}') break
      if (this.#text.startsWith('$${', start)) {
        literal += '${'
        this.#at += 3
        continue
      }
      // As dotenv's own expansion reads it: the backslash is not part of the text.
      if (this.#lenient && this.#text.startsWith('\\${', start)) {
        literal += '${'
        this.#at += 3
        continue
      }
      if (!this.#text.startsWith('${', start)) {
        literal += this.#text[start]
        this.#at++
        continue
      }
      const reference = this.#reference(depth)
      if (!('malformed' in reference)) {
        parts.push(literal, reference)
        literal = ''
      } else if (depth === 0 && this.#lenient) {
        // Only the outermost one becomes text: with those in defaults as well, parsing would be quadratic.
        literal += '${'
        this.#at = start + 2
      } else return reference
    }
    return [...parts, literal].filter(part => part !== '')
  }

  #reference(depth: number): Reference | Malformed {
    const start = this.#at
    if (start > this.#lastBrace) return unclosed(start)
    if (depth >= depthLimit) return { malformed: `defaults nested more than ${depthLimit} deep` }
    head.lastIndex = start + 2
    const match = head.exec(this.#text)
    if (match === null) return { malformed: `a \${…} at column ${start + 1} that names nothing` }
    const name = nameOf(match)
    this.#at = head.lastIndex
    if (this.#text[this.#at] === '}') return this.#closed(start, { name })
    const operator = this.#text.slice(this.#at, this.#at + 2)
    this.#at += 2
    if (operator === ':-') {
      const fallback = this.parts(depth + 1)
      return 'malformed' in fallback ? fallback : this.#closed(start, { name, fallback })
    }
    if (operator !== ':?')
      return { malformed: `a \${…} at column ${start + 1} with neither ':-' nor ':?' after its name` }
    const end = this.#text.indexOf('}', this.#at)
    const refusal = this.#text.slice(this.#at, end)
    this.#at = end
    return this.#closed(start, { name, refusal })
  }

  /** Consumes the closing brace. */
  #closed(start: number, reference: Omit<Reference, 'text'>): Reference | Malformed {
    if (this.#text[this.#at] !== '}') return unclosed(start)
    this.#at++
    return { ...reference, text: this.#text.slice(start, this.#at) }
  }
}

function unclosed(start: number): Malformed {
  return { malformed: `a \${ at column ${start + 1} that is never closed` }
}

function nameOf([, other, service, field, project, variable]: RegExpExecArray): Name {
  if (service !== undefined && field !== undefined)
    return { of: 'service', service: other === undefined ? service : `${other}:${service}`, field }
  if (project === 'name' || project === 'domain') return { of: 'project', field: project }
  return { of: 'variable', name: variable ?? '' }
}

/** Returns all references of a text's parts, those in defaults included. */
export function referencesOf(parts: readonly Part[]): readonly Reference[] {
  return parts.flatMap(part => (typeof part === 'string' ? [] : [part, ...referencesOf(part.fallback ?? [])]))
}

/** Formats a name as it is written: `VAR`, `services.db.url`. */
export function nameText(name: Name): string {
  if (name.of === 'service') {
    const other = parseForeignKey(name.service)
    const place = other === undefined ? `services.${name.service}` : `projects.${other.project}.${other.service}`
    return `${place}.${name.field}`
  }
  return name.of === 'project' ? `project.${name.field}` : name.name
}

/** The limit of characters: no environment holds more, and nested references can grow without limit. */
const lengthLimit = 1024 * 1024

/**
 * Replaces the references of a text. Throws ENV_UNRESOLVED, without any value, for one that is malformed, unset or
 * required, and for a result over a million characters.
 */
export function interpolate(text: string, scope: Scope): string {
  const parts = parseTemplate(text)
  if ('malformed' in parts) {
    throw new LocaldError('ENV_UNRESOLVED', `has ${parts.malformed}`, { hint: 'Write $${ for a literal ${.' })
  }
  return join(parts, reference => resolve(reference, scope))
}

/**
 * Turns `$NAME` into a reference where NAME is the variable itself: `PATH=./bin:$PATH` means what it means in a shell,
 * where an unset variable is empty. Any other `$` without a brace stays as it is.
 */
export function withSelfReference(name: string, text: string): string {
  if (!text.includes(`$${name}`) || !isVariable(name)) return text
  return text.replace(new RegExp(`(?<![$\\\\])\\$${name}(?![A-Za-z0-9_])`, 'g'), () => `\${${name}:-}`)
}

/**
 * Replaces references as `interpolate` does, for files that other tools read as well: a malformed or unset one stays as
 * it is written.
 */
export function interpolateLeniently(text: string, scope: Scope): string {
  const parts = parseTemplate(text, true)
  return 'malformed' in parts ? text : join(parts, reference => substituteLeniently(reference, scope))
}

function join(parts: readonly Part[], replace: (reference: Reference) => string): string {
  let text = ''
  for (const part of parts) {
    text += typeof part === 'string' ? part : replace(part)
    if (text.length > lengthLimit) throw new LocaldError('ENV_UNRESOLVED', 'becomes longer than a million characters')
  }
  return text
}

function substituteLeniently(reference: Reference, scope: Scope): string {
  const { name, fallback } = reference
  const value = lookUp(name, scope)
  if (value !== undefined && (value !== '' || fallback === undefined)) return value
  return fallback === undefined ? reference.text : join(fallback, inner => substituteLeniently(inner, scope))
}

function resolve({ name, fallback, refusal }: Reference, scope: Scope): string {
  const value = lookUp(name, scope)
  if (value !== undefined && (value !== '' || (fallback === undefined && refusal === undefined))) return value
  if (fallback !== undefined) return join(fallback, inner => resolve(inner, scope))
  const what = nameText(name)
  const hint = `Set it, or write \${${what}:-default}.`
  if (refusal !== undefined)
    throw new LocaldError('ENV_UNRESOLVED', `\${${what}} is required: ${refusal || 'not set'}`, { hint })
  throw new LocaldError('ENV_UNRESOLVED', `\${${what}} is not set`, { hint })
}

function lookUp(name: Name, scope: Scope): string | undefined {
  if (name.of === 'service') return scope.service(name.service, name.field)
  return name.of === 'project' ? scope.project[name.field] : scope.variable(name.name)
}
