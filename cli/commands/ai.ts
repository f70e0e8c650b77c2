import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print } from '../output/terminal.ts'

/** `locald ai schema`: what an editor or an agent needs to write locald.toml. */
export async function aiSchema(context: Context): Promise<number> {
  const schema = await (await requireDaemon(context.paths)).get<unknown>('/v1/schema')
  print(JSON.stringify(schema, null, 2))
  return 0
}
