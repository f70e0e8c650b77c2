/** Parts that the JSON schemas of responses are made of. */

export const text = { type: 'string' } as const
export const number = { type: 'number' } as const
export const integer = { type: 'integer' } as const
export const flag = { type: 'boolean' } as const
export const time = { type: 'string', format: 'date-time' } as const
export const texts = { type: 'array', items: text } as const

export function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter(key => !optional.includes(key))
  return { type: 'object', required, properties } as const
}

export function oneOf(...values: readonly string[]) {
  return { type: 'string', enum: values } as const
}

export function orNull(schema: { readonly type: string }) {
  return { ...schema, type: [schema.type, 'null'] } as const
}

export function list(items: object) {
  return { type: 'array', items } as const
}
