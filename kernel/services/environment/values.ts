import {
  interpolate,
  interpolateLeniently,
  type Scope,
  withSelfReference,
} from '../../config/references/interpolation.ts'
import { LocaldError } from '../../errors.ts'
import { explainError } from './errors.ts'
import { type EnvFile, type EnvironmentInput, type EnvLayer, type EnvOrigin, type EnvTable, nowhere } from './input.ts'

/** The value of a variable, and the one that it overrides. */
export interface Value {
  readonly text: string
  readonly layer: EnvLayer
  readonly origin: () => Promise<EnvOrigin>
  /** The value that it overrides. */
  readonly under?: Value | undefined
}

/** Same-layer references above which a chain is refused. */
const chainLimit = 500

/** Lays a stronger value over the one of that name. */
export function lay(values: Map<string, Value>, name: string, value: Value): void {
  values.set(name, { ...value, under: values.get(name) })
}

/** Returns where a value comes from, then the values that it overrides. */
export async function originsOf({ origin, under }: Value): Promise<readonly EnvOrigin[]> {
  return [await origin(), ...(under === undefined ? [] : await originsOf(under))]
}

/** Applies a `.env` file to the values: each entry may refer to weaker values and to the entries above it. */
export function addFile(input: EnvironmentInput, values: Map<string, Value>, { layer, file, entries }: EnvFile): void {
  const scope = scopeOf(input, name => values.get(name)?.text)
  for (const [name, { value, literal, line }] of entries) {
    const text = literal ? value : interpolateLeniently(withSelfReference(name, value), scope)
    lay(values, name, { text, layer, origin: async () => ({ layer, file, line }) })
  }
}

/**
 * Lays an `env` table over the values: each key sees its siblings in any order, and for itself the weaker value.
 * Returns the errors; a key that only depends on a faulty one is not listed.
 */
export async function addTable(
  input: EnvironmentInput,
  values: Map<string, Value>,
  env: EnvTable,
): Promise<LocaldError[]> {
  const { layer, table, path } = env
  const resolved = new Map<string, string>()
  const chain: string[] = []
  let missing: string | undefined
  const scope = scopeOf(input, name => {
    const found = Object.hasOwn(table, name) && chain.at(-1) !== name ? settle(name) : values.get(name)?.text
    if (found === undefined) missing = name
    return found
  })
  const settle = (name: string): string => {
    const known = resolved.get(name)
    if (known !== undefined) return known
    if (chain.includes(name)) {
      const around = [...chain.slice(chain.indexOf(name)), name].join(' → ')
      throw new LocaldError('ENV_UNRESOLVED', `refers to itself: ${around}`, {
        hint: 'Remove one of these references.',
      })
    }
    if (chain.length >= chainLimit) throw new LocaldError('ENV_UNRESOLVED', `refers to more than ${chainLimit} others`)
    chain.push(name)
    const text = interpolate(withSelfReference(name, table[name] ?? ''), scope)
    chain.pop()
    resolved.set(name, text)
    return text
  }
  const faults: LocaldError[] = []
  for (const name of Object.keys(table)) {
    try {
      settle(name)
    } catch (error) {
      faults.push(await explainError(input, env, chain.at(-1) ?? name, LocaldError.from(error), missing))
      for (const each of chain.splice(0)) resolved.set(each, '')
    }
  }
  const locate = input.locate
  for (const [name, text] of resolved) {
    const origin = async () => ({ layer, ...(locate === undefined ? nowhere : await locate([...path, name])) })
    lay(values, name, { text, layer, origin })
  }
  return faults
}

/** Returns what references may read, locald's own values first. */
function scopeOf({ plan, own, lookup }: EnvironmentInput, weaker: (name: string) => string | undefined): Scope {
  return {
    project: { name: plan.name, domain: plan.domain },
    variable: name => (Object.hasOwn(own, name) ? own[name] : weaker(name)),
    service: (service, field) => lookup(service, field),
  }
}
