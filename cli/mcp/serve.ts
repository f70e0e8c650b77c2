import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { versionOf } from '../../kernel/system/package.ts'
import { cleanName } from '../agent.ts'
import type { Context } from '../context.ts'
import { DeclaredTools } from './declared-tools.ts'
import { readRoots } from './roots.ts'
import { Session } from './session.ts'
import { tools } from './tools/index.ts'
import { ToolsTransport } from './transport.ts'

/** What a client shows its model about all tools. */
const instructions = `locald runs the services of this machine's projects: it starts them in order, gives each a port and a URL that stay the same, and keeps their logs.
Call \`up\` instead of starting dev servers in a shell: it returns when all are ready or says why one failed. It starts nothing twice.
After a change that needs it, call \`restart\`. Then read \`logs\`: it returns what is new since your last look. \`why\` explains what is not ready.
Use the URLs that \`status\` shows. Stop only what you started.`

/** Many tools that change at once are one notification. */
const debouncedNotificationMethods = ['notifications/tools/list_changed']

/** Stop the server. SIGINT: of a client in the foreground of a terminal. */
const signals = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const

/**
 * Serves MCP on stdin and stdout until the client closes them, or until a signal. It starts nothing before a tool is
 * called, as clients start servers only to ask for their tools. Commands that tools still run are stopped.
 */
export async function serveMcp(context: Context): Promise<number> {
  const session = new Session(context)
  const closed = new Promise<void>(resolve => {
    for (const signal of signals) process.once(signal, resolve)
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, resolve)
    process.stdout.once('error', resolve)
  })
  const serverOf = () => {
    const server = new McpServer(
      { name: 'locald', version: versionOf() },
      { instructions, debouncedNotificationMethods },
    )
    session.roots = () => readRoots(server)
    session.client = () => cleanName(server.server.getClientVersion()?.name ?? '') || 'an MCP client'
    for (const tool of tools) tool.register(server, session)
    const declared = new DeclaredTools(server, session)
    session.refreshTools = () => declared.refresh()
    return server
  }
  const handle = serveStdio(serverOf, { transport: new ToolsTransport(() => session.refreshTools()) })
  await closed
  session.close()
  await handle.close().catch(() => undefined)
  // A request to the daemon may still be open: its answer has no reader.
  process.exit(0)
}
