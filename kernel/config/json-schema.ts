import type { ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import { isTable, own, type Table } from './document/table.ts'
import { schemaOfKey, schemaOfTable } from './fields/keys.ts'
import { labelPattern } from './names.ts'
import type { PluginTables } from './tables/plugin-tables.ts'
import { envKey, pluginsKey, projectKeys, projectsKey } from './tables/project.ts'
import { routesKey } from './tables/routes.ts'
import type { Types } from './tables/service.ts'
import { serviceKeys } from './tables/service-keys.ts'
import { isExcluded } from './tables/type-options.ts'

/**
 * Returns the JSON schema (draft 07) of `locald.toml` with all types that are available here, for editors and agents.
 * It cannot express what depends on the whole file, such as a cycle.
 */
export function projectSchema(types: Types & { readonly tables?: PluginTables }): Table {
  const available = types.names.flatMap(name => {
    const found = types.find(name)
    return LocaldError.is(found) ? [] : [{ name, type: found }]
  })
  const services = available.map(({ name, type }) => [`type-${name}`, serviceSchema(type, name === types.defaultType)])
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'locald.toml',
    description:
      'The services of a project that locald runs. Unknown keys are errors. Times are seconds, or texts such as "500ms".',
    type: 'object',
    additionalProperties: false,
    required: ['project'],
    properties: {
      project: schemaOfTable(Object.values(projectKeys)),
      env: schemaOfKey(envKey),
      services: {
        type: 'object',
        description:
          "The services, by name: a DNS label. `web`, or the one named like the project, owns the project's domain; others get <service>.<domain>.",
        propertyNames: { pattern: labelPattern },
        additionalProperties: { anyOf: available.map(({ name }) => ({ $ref: `#/definitions/type-${name}` })) },
      },
      routes: schemaOfKey(routesKey),
      projects: schemaOfKey(projectsKey),
      plugins: schemaOfKey(pluginsKey),
      ...Object.fromEntries((types.tables?.project ?? []).map(({ name, shape }) => [name, shape.schema])),
    },
    definitions: { ...commonSchemas, ...Object.fromEntries(services) },
  }
}

const commonSchemas = Object.fromEntries(Object.values(serviceKeys).map(key => [key.key, schemaOfKey(key)]))

/** Returns the schema of a service of one type: its own keys and the common ones. */
function serviceSchema(type: ServiceType<unknown>, isDefault: boolean): Table {
  const { schema }: { readonly schema: unknown } = type.shape
  const shape: Table = isTable(schema) ? schema : {}
  const properties = own(shape, 'properties')
  const required = own(shape, 'required')
  const applicable = Object.keys(commonSchemas).filter(key => !isExcluded(type, key))
  const common = applicable.map(key => [key, { $ref: `#/definitions/${key}` }])
  const description = `A service of this type. ${isDefault ? 'It is the type of a service without `type`.' : ''}`.trim()
  return {
    description,
    ...shape,
    type: 'object',
    properties: {
      type: { const: type.type, description: isDefault ? 'The default: may be left out.' : "The service's type." },
      ...(isTable(properties) ? properties : {}),
      ...Object.fromEntries(common),
    },
    required: [...(isDefault ? [] : ['type']), ...(Array.isArray(required) ? required : [])],
    additionalProperties: own(shape, 'additionalProperties') === true,
  }
}
