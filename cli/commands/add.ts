import { resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import { flagNames, flagValue, type ParsedArgs } from '../args/parse.ts'
import { parsePort } from '../args/values.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { reportAdded } from '../edit/report.ts'
import { nameService } from '../edit/service-name.ts'
import { toShellCommand } from '../edit/shell-command.ts'
import type { Entry } from '../init/toml.ts'

/** `locald add`: writes a command to locald.toml as a service. */
export async function add(context: Context): Promise<number> {
  const { args, cwd, paths } = context
  const port = flagValue(args, 'port')
  if (port !== undefined && args.flags.has('worker'))
    throw new LocaldError('USAGE', '--worker and --port exclude each other', {
      hint: 'Remove `--worker`: only other services have a port.',
    })
  const number = port === undefined ? undefined : parsePort('--port', port)
  const { EditedProject } = await import('../edit/index.ts')
  const project = await EditedProject.open(context, await requireDaemon(paths))
  const isWorker = args.flags.has('worker')
  const name = flagValue(args, 'name') ?? nameService(args.childArgv, project.names, isWorker)
  const workdir = await project.workdirEntries(resolve(cwd, flagValue(args, 'workdir') ?? '.'))
  const entries: Entry[] = [
    ...(isWorker ? [{ key: 'type', value: 'worker' }] : []),
    { key: 'command', value: toShellCommand(args.childArgv) },
    ...workdir,
    ...(number === undefined ? [] : [{ key: 'port', value: number }]),
    ...dependencies(args),
  ]
  reportAdded(context, name, await project.add({ name, entries }))
  return 0
}

function dependencies(args: ParsedArgs): readonly Entry[] {
  const names = flagNames(args, 'depends-on')
  return names.length === 0 ? [] : [{ key: 'depends_on', value: names }]
}
