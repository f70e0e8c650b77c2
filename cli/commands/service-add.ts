import type { Table } from '../../kernel/config/document/table.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { flagValue } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { reportAdded } from '../edit/report.ts'
import { freeName, nameOfType } from '../edit/service-name.ts'

/** `locald service add`: writes a service of a type to locald.toml. */
export async function serviceAdd(context: Context): Promise<number> {
  const { args, paths } = context
  const [type, ...words] = args.positionals
  if (type === undefined) throw new LocaldError('USAGE', 'locald service add TYPE')
  const { EditedProject, TypeSchema } = await import('../edit/index.ts')
  const daemon = await requireDaemon(paths)
  const schema = new TypeSchema(type, await daemon.get<Table>('/v1/schema'))
  const options = schema.parse(words)
  const project = await EditedProject.open(context, daemon)
  const name = flagValue(args, 'name') ?? freeName(nameOfType(type, options), project.names)
  const entries = [...(schema.isDefault ? [] : [{ key: 'type', value: type }]), ...options]
  reportAdded(context, name, await project.add({ name, entries }))
  return 0
}
