import { LocaldError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { print, printJson } from '../output/terminal.ts'

const entry = { command: 'locald', args: ['mcp'] }

/** How each client starts the server: the file, and what is added to it. */
const clients: Readonly<Record<string, { readonly file: string; readonly content: object | string }>> = {
  claude: { file: '.mcp.json', content: { mcpServers: { locald: entry } } },
  vscode: { file: '.vscode/mcp.json', content: { servers: { locald: { type: 'stdio', ...entry } } } },
  cursor: { file: '.cursor/mcp.json', content: { mcpServers: { locald: entry } } },
  codex: { file: '~/.codex/config.toml', content: '[mcp_servers.locald]\ncommand = "locald"\nargs = ["mcp"]' },
  opencode: {
    file: 'opencode.json',
    content: { mcp: { locald: { type: 'local', command: ['locald', 'mcp'], enabled: true } } },
  },
}

/** Prints what starts the server in one client, or in all. */
export async function printMcpConfig({ args, json }: Context): Promise<number> {
  const [name] = args.positionals
  const found = name === undefined ? undefined : Object.entries(clients).find(([client]) => client === name)
  if (name !== undefined && found === undefined) {
    throw new LocaldError('USAGE', `unknown client '${name}'`, {
      hint: `Use one of ${Object.keys(clients).join(', ')}.`,
    })
  }
  if (json) printJson(found === undefined ? clients : found[1])
  else if (found !== undefined) print(textOf(found[1].content))
  else
    print(
      Object.entries(clients)
        .map(([client, { file, content }]) => `${client} (${file}):\n\n${textOf(content)}`)
        .join('\n\n'),
    )
  return 0
}

function textOf(content: object | string): string {
  return typeof content === 'string' ? content : JSON.stringify(content, null, 2)
}
