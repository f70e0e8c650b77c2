import type { Context } from '../context.ts'

/** `locald mcp`: serves agents by MCP on stdin and stdout until the client closes them. */
export async function mcp(context: Context): Promise<number> {
  const { serveMcp } = await import('../mcp/index.ts')
  return await serveMcp(context)
}
