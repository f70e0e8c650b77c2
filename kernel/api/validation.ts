import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifyInstance } from 'fastify'

/**
 * What keeps fastify from reading its own compilers of schemas: they are five times as many modules, check each schema against the
 * metaschema, and compile all of them at every start. `checkSchemas` sets what is used instead.
 */
export const noCompilers = { buildValidator: unused, buildSerializer: unused }

/** Checks requests against the schemas of their routes, each compiled when it is first needed. */
export function checkSchemas(app: FastifyInstance): void {
  const ajv = new Ajv({ coerceTypes: 'array', useDefaults: true, strict: false, meta: false, validateSchema: false })
  app.setValidatorCompiler<unknown>(({ schema, httpPart = 'request' }) => {
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
