import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifyInstance } from 'fastify'

/**
 * What keeps fastify from reading its own compilers of schemas: they are five times as many modules, check each schema against the
 * metaschema, and compile all of them at every start. `checkSchemas` sets what is used instead.
 */
export const noCompilers = { buildValidator: unused, buildSerializer: unused }

/** Checks requests against the schemas of their routes, each compiled when it is first needed. */
export function checkSchemas(app: FastifyInstance): void {
  const common = { useDefaults: true, strict: false, meta: false, validateSchema: false }
  // Words of a URL have no types; JSON has, and there a null is no false.
  const [words, json] = [new Ajv({ ...common, coerceTypes: 'array' }), new Ajv(common)]
  app.setValidatorCompiler<unknown>(({ schema, httpPart = 'request' }) => {
    const ajv = httpPart === 'body' ? json : words
    let validate: ValidateFunction | undefined
    return data => {
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
