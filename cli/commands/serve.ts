import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import { realPath } from '../../kernel/lib/real-path.ts'
import type { Context } from '../context.ts'
import { shortenPath } from '../output/errors.ts'
import { printStderr } from '../output/terminal.ts'
import { ScratchProject } from '../scratch/scratch-project.ts'
import { upScratch } from './up.ts'

/** Folders that builds write, where the caller names none. */
const outputs = ['dist', 'build', 'public', '_site', 'out']

/** `locald serve`: serves a folder until Ctrl-C. */
export async function serve(context: Context): Promise<number> {
  const { args, cwd, json } = context
  const [given] = args.positionals
  const path = await findFolder(given, cwd)
  const isOutput = outputs.includes(basename(path))
  const folder = isOutput ? dirname(path) : path
  const scratch = await ScratchProject.create(context, {
    kind: 'serve',
    folder,
    entries: [
      { key: 'type', value: 'site' },
      { key: 'path', value: path },
      ...(args.flags.has('spa') ? [{ key: 'spa', value: true }] : []),
      ...(args.flags.has('no-reload') ? [{ key: 'reload', value: false }] : []),
    ],
  })
  try {
    if (!json) printStderr(`Serving ${shortenPath(path, cwd)}`)
    return await upScratch(context, scratch.folder)
  } finally {
    await scratch.remove()
  }
}

/** Returns the folder to serve: the given one, or this one, or the output of a build in it. Throws USAGE. */
async function findFolder(given: string | undefined, cwd: string): Promise<string> {
  const folder = resolve(cwd, given ?? '.')
  const found = statSync(folder, { throwIfNoEntry: false })
  if (!found?.isDirectory()) {
    throw new LocaldError('USAGE', `${given} ${found === undefined ? 'does not exist' : 'is not a folder'}`, {
      hint:
        found === undefined
          ? 'Run `locald serve [PATH]` with a folder.'
          : `Run \`locald serve ${dirname(given ?? '')}\`.`,
    })
  }
  const hasIndex = (name: string) => existsSync(join(folder, name, 'index.html'))
  const output = given === undefined && !hasIndex('.') ? outputs.find(hasIndex) : undefined
  return await realPath(join(folder, output ?? '.'))
}
