import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { TargetBody } from '../../kernel/protocol.ts'
import { isFolder } from './folder.ts'
import { flagValue, type ParsedArgs } from './parse.ts'

/** Reads what `up` starts: the folder of `-f`, or a first argument that is a folder or looks like a path; and services. */
export function readTarget(args: Pick<ParsedArgs, 'positionals' | 'flags'>, cwd: string): TargetBody {
  const { positionals } = args
  const file = flagValue(args, 'file')
  const [first] = positionals
  const isThere = first !== undefined && isFolder(resolve(cwd, first))
  const isPath = first !== undefined && (first === '.' || first === '..' || first.includes('/') || isThere)
  if (isPath && file !== undefined) {
    throw new LocaldError('USAGE', `-f ${file} and the folder ${first} exclude each other`, {
      hint: 'Remove one of them.',
    })
  }
  if (isPath && !isThere) {
    throw new LocaldError('USAGE', `folder ${first} not found`, {
      hint: 'Run `locald up [PATH] [SERVICE…]`; an argument with a / is a path.',
    })
  }
  const services = isPath ? positionals.slice(1) : positionals
  const path = file !== undefined ? folderOf(file, cwd) : isPath ? resolve(cwd, first) : cwd
  return { path, ...(services.length === 0 ? {} : { services }) }
}

/** Returns the folder of a `locald.toml`: that is its project. Files of other tools are refused, with what to do. */
function folderOf(file: string, cwd: string): string {
  const path = resolve(cwd, file)
  const folder = dirname(path)
  if (isFolder(path)) {
    throw new LocaldError('USAGE', `-f ${file} is a folder`, { hint: `Run \`locald up ${file}\`.` })
  }
  if (!existsSync(path))
    throw new LocaldError('USAGE', `-f ${file}: file not found`, { hint: 'Name a file that exists.' })
  if (basename(path) === 'locald.toml') return folder
  const isCompose = /compose.*\.ya?ml$/i.test(basename(path))
  throw new LocaldError('USAGE', `-f ${file} is no locald.toml`, {
    hint: isCompose
      ? `Run \`locald init --from compose -f ${file}\` to translate it.`
      : `Run \`locald up ${dirname(file)}\`: a project is a folder.`,
  })
}
