import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

/**
 * A JSON schema that remembers the TypeScript type of the values it accepts. Defaults in it are filled in by
 * validation.
 */
export interface Shape<out T> {
  readonly schema: JSONSchema
  /** Never set: it only carries the type. */
  readonly type?: T
}

/** The values a shape accepts. */
export type ShapeOf<S> = S extends Shape<infer T> ? T : never

/**
 * Gives a JSON schema its TypeScript type. `T` is a defaulted parameter because a signature that mentions
 * `FromSchema<S>` directly makes the compiler expand it for every possible schema.
 */
export function shape<const S extends JSONSchema, T = FromSchema<S>>(schema: S): Shape<T> {
  return { schema }
}
