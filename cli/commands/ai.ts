import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print } from '../output/terminal.ts'

/** `locald ai schema`: what an editor or an agent needs to write locald.toml. */
export async function aiSchema(context: Context): Promise<number> {
  const schema = await (await requireDaemon(context.paths)).get<unknown>('/v1/schema')
  print(JSON.stringify(schema, null, 2))
  return 0
}

/** `locald ai context`: a page about the project for a model. */
export async function aiContext(context: Context): Promise<number> {
  return await (await import('../ai/index.ts')).printContext(context)
}

/** `locald ai skill`: writes how to use locald to where agents look for skills. */
export async function aiSkill(context: Context): Promise<number> {
  return await (await import('../ai/index.ts')).writeSkill(context)
}

/** `locald ai mcp-config`: prints how clients start `locald mcp`. */
export async function aiMcpConfig(context: Context): Promise<number> {
  return await (await import('../ai/index.ts')).printMcpConfig(context)
}
