import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { realPath } from '../../kernel/lib/real-path.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { reportAdded } from '../edit/report.ts'
import { nameService } from '../edit/service-name.ts'
import { toShellCommand } from '../edit/shell-command.ts'
import { confirm } from '../output/prompt.ts'
import { isInteractive, printStderr } from '../output/terminal.ts'
import { ScratchProject } from '../scratch/scratch-project.ts'
import { upScratch } from './up.ts'

/** `locald try`: runs a command as a service until Ctrl-C, and offers to keep it. */
export async function tryCommand(context: Context): Promise<number> {
  const { args, cwd, json } = context
  const folder = await realPath(cwd)
  const command = toShellCommand(args.childArgv)
  const env = join(folder, '.env')
  const scratch = await ScratchProject.create(context, {
    kind: 'try',
    folder,
    entries: [
      { key: 'command', value: command },
      { key: 'workdir', value: folder },
      ...(existsSync(env) ? [{ key: 'env_file', value: [env] }] : []),
    ],
  })
  const code = await upScratch(context, scratch.folder).finally(() => scratch.remove())
  if (code === 0 && !json) await offer(context, command)
  return code
}

/** Offers to write the command to the project's file; without a terminal, names the command that does. */
async function offer(context: Context, command: string): Promise<void> {
  if (!isInteractive()) return printStderr('Run `locald add` with the same command to keep it as a service.')
  const { EditedProject } = await import('../edit/index.ts')
  const project = await EditedProject.open(context, await requireDaemon(context.paths))
  const name = nameService(context.args.childArgv, project.names, false)
  if (!(await confirm(`Save as service ${name} in locald.toml?`))) return
  const entries = [{ key: 'command', value: command }, ...(await project.workdirEntries(context.cwd))]
  reportAdded(context, name, await project.add({ name, entries }))
}
