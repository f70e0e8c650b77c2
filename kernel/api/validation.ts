import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifyInstance } from 'fastify'
import { fits, isSimple } from '../lib/simple-schema.ts'

/**
 * Keeps Fastify from loading its own schema compilers: they are five times as many modules, check each schema against
 * the metaschema, and compile all of them at every start. `checkSchemas` sets the compilers that are used instead.
 */
export const noCompilers = { buildValidator: unused, buildSerializer: unused }

/**
 * Validates requests against the schemas of their routes. Ajv compiles a schema, 10 ms for the first one, for what its
 * reader without compilation does not take: a schema that is not simple, values to convert, and faults to describe.
 */
export function checkSchemas(app: FastifyInstance): void {
  const common = { useDefaults: true, strict: false, meta: false, validateSchema: false }
  // Values of a URL have no types, so they are coerced; in JSON null must not become false.
  const [url, json] = [new Ajv({ ...common, coerceTypes: 'array' }), new Ajv(common)]
  app.setValidatorCompiler<unknown>(({ schema, httpPart = 'request' }) => {
    const ajv = httpPart === 'body' ? json : url
    let validate: ValidateFunction | undefined
    const isReadable = isSimple(schema)
    return data => {
      if (isReadable && fits(data, schema)) return { value: data }
      validate ??= ajv.compile(typeof schema === 'object' && schema !== null ? schema : {})
      if (validate(data)) return { value: data }
      return { error: new Error(ajv.errorsText(validate.errors, { dataVar: httpPart })) }
    }
  })
  app.setSerializerCompiler(() => value => JSON.stringify(value))
}

function unused(): never {
  throw new Error('checkSchemas() was not called')
}
