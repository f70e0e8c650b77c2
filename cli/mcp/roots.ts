import { fileURLToPath } from 'node:url'
import type { McpServer } from '@modelcontextprotocol/server'

/** A client that offers roots answers at once; one that does not is not waited for. ms */
const answerMs = 2000

/** Returns the folders that the client works in; none where it does not say. */
export async function readRoots({ server }: McpServer): Promise<readonly string[]> {
  if (server.getClientCapabilities()?.roots === undefined) return []
  // Clients of 2026-07-28 have no requests to them: they start the server in the folder of the project.
  const answer = await server.listRoots(undefined, { timeout: answerMs }).catch(() => undefined)
  return (answer?.roots ?? []).flatMap(({ uri }) => folderOf(uri) ?? [])
}

function folderOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri)
  } catch {
    return undefined
  }
}
