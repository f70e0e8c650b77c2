import type { PluginsAnswer, PluginView } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { type Row, table } from '../output/table.ts'
import { painter, print, printJson, type Style } from '../output/terminal.ts'

const styles: Readonly<Record<PluginView['state'], Style>> = { active: 'green', off: 'gray', broken: 'red' }

/** `locald plugins list`. */
export async function pluginsList(context: Context): Promise<number> {
  const answer = await (await requireDaemon(context.paths)).get<PluginsAnswer>('/v1/plugins')
  if (context.json) {
    printJson(answer)
    return 0
  }
  const isTimed = context.args.flags.has('timing')
  const heading = ['NAME', 'VERSION', 'FROM', 'STATE', ...(isTimed ? ['SETUP'] : []), 'PROVIDES']
  const rows = answer.plugins.map(plugin => rowOf(plugin, isTimed))
  print(table(heading, rows, painter(process.stdout)))
  return 0
}

function rowOf(plugin: PluginView, isTimed: boolean): Row {
  const setup = plugin.setupMs === null ? '-' : `${plugin.setupMs.toFixed(1)} ms`
  const { types, features, details = {}, commands } = plugin
  const detailed = features.map(name => (details[name] === undefined ? name : `${name} (${details[name]})`))
  const provides = [part('types', types), part('features', detailed), part('commands', commands)]
  return {
    cells: [
      { text: plugin.name },
      { text: plugin.version },
      { text: plugin.from },
      { text: plugin.state, style: styles[plugin.state] },
      ...(isTimed ? [{ text: setup }] : []),
      { text: provides.filter(text => text !== '').join('; ') || '-' },
    ],
    note: plugin.state === 'active' ? undefined : (plugin.reason ?? undefined),
  }
}

function part(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${what}: ${names.join(', ')}`
}
