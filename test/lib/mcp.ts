import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Sandbox, Test } from './sandbox.ts'

/** The most that an answer may have, in bytes of JSON: 8,000 tokens of three. */
export const mostBytes = 24_000

/** An answer of a tool. */
export interface ToolAnswer {
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
  readonly isError: boolean
  readonly bytes: number
  readonly ms: number
}

/** A client of `locald mcp`, by the SDK. */
export class McpClient {
  readonly client: Client
  readonly transport: StdioClientTransport

  private constructor(client: Client, transport: StdioClientTransport) {
    this.client = client
    this.transport = transport
  }

  /** Starts the server in a folder, as the user who runs the tests. */
  static async start(t: Test, sandbox: Sandbox, cwd: string, roots: readonly string[] = []): Promise<McpClient> {
    const env = Object.entries(sandbox.env).map(([key, value]) => `${key}=${value}`)
    // A shell stands for the client's process: the lease is its own.
    const args = ['-c', '"$@"; exit $?', 'sh', 'env', '-i', ...env, process.execPath, sandbox.main, 'mcp']
    const transport = new StdioClientTransport({ command: 'sh', args, cwd, stderr: 'ignore' })
    const client = new Client({ name: 'test', version: '1' }, { capabilities: roots.length === 0 ? {} : { roots: {} } })
    if (roots.length > 0)
      client.setRequestHandler('roots/list', async () => ({ roots: roots.map(path => ({ uri: `file://${path}` })) }))
    await client.connect(transport)
    t.teardown(() => client.close())
    return new McpClient(client, transport)
  }

  async call(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<ToolAnswer> {
    const begunMs = performance.now()
    const answer = await this.client.callTool({ name, arguments: { ...args } })
    const ms = performance.now() - begunMs
    const [first] = answer.content
    const { structuredContent: data } = answer
    return {
      text: first?.type === 'text' ? first.text : '',
      data: typeof data === 'object' && data !== null ? { ...data } : {},
      isError: answer.isError === true,
      bytes: Buffer.byteLength(JSON.stringify(answer)),
      ms,
    }
  }
}
