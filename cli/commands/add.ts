import { relative, resolve } from 'node:path'
import { realPath } from '../../kernel/contract/real-path.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { flagValue, type ParsedArgs } from '../args/parse.ts'
import { parsePort } from '../args/values.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import type { Added } from '../edit/index.ts'
import { nameService } from '../edit/service-name.ts'
import { toShellCommand } from '../edit/shell-command.ts'
import type { Entry } from '../init/toml.ts'
import { shortenPath } from '../output/errors.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

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
  const workdir = relative(project.folder, await findFolder(resolve(cwd, flagValue(args, 'workdir') ?? '.')))
  const entries: Entry[] = [
    ...(isWorker ? [{ key: 'type', value: 'worker' }] : []),
    { key: 'command', value: toShellCommand(args.childArgv) },
    ...(workdir === '' ? [] : [{ key: 'workdir', value: workdir }]),
    ...(number === undefined ? [] : [{ key: 'port', value: number }]),
    ...dependencies(args),
  ]
  reportAdded(context, name, await project.add({ name, entries }))
  return 0
}

async function findFolder(path: string): Promise<string> {
  return await realPath(path).catch(error => {
    throw new LocaldError('USAGE', `there is no folder ${path}`, { hint: 'Check `--workdir`.', cause: error })
  })
}

function dependencies({ values }: ParsedArgs): readonly Entry[] {
  const names = (values.get('depends-on') ?? []).flatMap(value => value.split(',')).filter(name => name !== '')
  return names.length === 0 ? [] : [{ key: 'depends_on', value: names }]
}

/** Prints what was written, and where. */
export function reportAdded({ json, cwd }: Context, service: string, added: Added): void {
  const { file, line, toml, created, warnings } = added
  if (json) {
    const from = created?.from ?? null
    printJson({ service, file, line, toml, created: created !== undefined, from, warnings })
    return
  }
  const name = shortenPath(file, cwd)
  if (created?.from !== undefined) print(`Created ${name} with the services of ${created.from}`)
  print(`Added ${service} to ${name}:${line}\n`)
  print(toml.replace(/^(?=.)/gm, '  '))
  for (const { message, hint } of warnings) printStderr(`Warning: ${message}\nHint: ${hint}`)
  print(`\nNext: locald up ${service}`)
}
