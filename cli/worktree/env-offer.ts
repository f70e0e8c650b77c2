import { quoteForShell } from '../../kernel/config/trust/trust.ts'
import { LocaldError } from '../../kernel/errors.ts'
import type { RegistryAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { confirm } from '../output/prompt.ts'
import { isInteractive, printStderr } from '../output/terminal.ts'
import { copyMissing, findMissing, type MissingEnvFiles, projectFolder } from './env-files.ts'

/**
 * Finds the `.env` files that git ignores in a linked git worktree's main checkout and that the worktree has not;
 * undefined where there are none. Throws USAGE for `--copy-env` in any other folder.
 */
export async function findEnvFiles({ args, paths }: Context, path: string): Promise<MissingEnvFiles | undefined> {
  const folder = projectFolder(path)
  const missing = await findMissing(folder, paths.data)
  if (missing === undefined && args.flags.has('copy-env')) {
    throw new LocaldError('USAGE', `--copy-env: ${folder} is not in a linked git worktree with a main checkout`, {
      hint: 'Remove the flag.',
    })
  }
  return missing === undefined || missing.names.length === 0 ? undefined : missing
}

/**
 * Before the first `up` of a worktree: offers to copy the files from the main checkout, and without a terminal prints
 * how. With `--copy-env` copies them before any `up`.
 */
export async function offerEnvFiles(
  { args, json }: Pick<Context, 'args' | 'json'>,
  daemon: Client,
  missing: MissingEnvFiles,
): Promise<void> {
  const isAsked = args.flags.has('copy-env')
  if (isAsked || (!json && !(await isKnown(daemon, missing.folder)) && (await isWanted(missing)))) {
    await copyMissing(missing)
    if (!json) printStderr(`Copied ${missing.names.join(', ')} from ${missing.main}`)
  }
}

async function isKnown(daemon: Client, folder: string): Promise<boolean> {
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry')
  return projects.some(({ path }) => path === folder)
}

/** Asks on a terminal; elsewhere prints the commands. */
async function isWanted({ folder, main, names }: MissingEnvFiles): Promise<boolean> {
  const listed = names.join(', ')
  if (isInteractive()) return await confirm(`Copy ${listed} from ${main}?`, true)
  const words = [...names.map(name => `${main}/${name}`), folder].map(quoteForShell).join(' ')
  // cp(1) would put files of several folders into one.
  const copy = names.some(name => name.includes('/')) ? '' : `\`cp ${words}\` or `
  const copied = names.length === 1 ? 'it' : 'them'
  printStderr(`The main checkout has ${listed}, which git ignores: ${copy}\`locald up --copy-env\` copies ${copied}`)
  return false
}
