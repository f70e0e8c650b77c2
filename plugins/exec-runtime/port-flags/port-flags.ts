import { join } from 'node:path'
import { type AdaptedCommand, type CommandTarget, readTextFile } from '../../../kernel/contract/plugin.ts'
import { fieldOf, isRecord, parseJson } from '../../lib/json.ts'
import { hostsVariable } from '../framework-variables.ts'
import { findTool, type Scripts } from './find-tool.ts'

/**
 * Returns the command with the flag for `$PORT` appended, where it runs a tool that ignores the variable; undefined
 * where it runs as written. A port in the project's file is where the command listens already.
 */
export async function withPortFlag({
  options: { command },
  dir,
  env,
  hasWrittenPort,
}: CommandTarget<{ readonly command: string }>): Promise<AdaptedCommand | undefined> {
  if (hasWrittenPort) return undefined
  const isSet = (name: string): boolean => env[name] !== undefined && env[name] !== ''
  const found = findTool(command, await scriptsIn(dir), isSet)
  if (found === undefined) return undefined
  const { tool, separator } = found
  const hosts = tool.hosts !== undefined && isSet(hostsVariable) ? ` ${tool.hosts} "$${hostsVariable}"` : ''
  const url = env['LOCALD_URL']
  const isWritten = found.args.some(word =>
    tool.url?.written.some(flag => word === flag || word.startsWith(`${flag}=`)),
  )
  const forUrl = tool.url === undefined || isWritten || !url ? '' : ` ${tool.url.adds(new URL(url))}`
  const added = `${separator}${tool.adds}${hosts}${forUrl}`
  const more = Object.entries(tool.env ?? {}).filter(([name]) => !isSet(name))
  return {
    command: `${command.trimEnd()} ${added}`,
    env: Object.fromEntries(more),
    reason: `locald added \`${added}\`, as ${tool.name} does not read $PORT`,
  }
}

/** Returns the scripts of the package in a folder; none where there is no readable package.json. */
async function scriptsIn(folder: string): Promise<Scripts> {
  const file = await readTextFile(join(folder, 'package.json'))
  if (file === undefined || 'fault' in file) return {}
  const scripts = fieldOf(parseJson(file.text), 'scripts')
  if (!isRecord(scripts)) return {}
  return Object.fromEntries(
    Object.entries(scripts).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
  )
}
