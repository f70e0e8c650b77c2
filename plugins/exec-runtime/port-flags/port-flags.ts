import type { AdaptedCommand, CommandTarget } from '../../../kernel/contract/plugin.ts'
import { hostsVariable } from '../framework-variables.ts'
import type { Scripts } from '../package-json.ts'
import { findTool } from './find-tool.ts'

/**
 * Returns the command with the flag for `$PORT` appended, where it runs a tool that ignores the variable; undefined
 * where it runs as written. A port in the project's file is where the command listens already.
 */
export function withPortFlag(
  { options: { command }, env, hasWrittenPort }: Omit<CommandTarget<{ readonly command: string }>, 'dir'>,
  scripts: Scripts,
): AdaptedCommand | undefined {
  if (hasWrittenPort) return undefined
  const isSet = (name: string): boolean => env[name] !== undefined && env[name] !== ''
  const found = findTool(command, scripts, isSet)
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
