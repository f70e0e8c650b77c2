import {
  type CallToolResult,
  fromJsonSchema,
  type McpServer,
  type StandardSchemaWithJSON,
  type ToolAnnotations,
} from '@modelcontextprotocol/server'
import { LocaldError } from '../../kernel/errors.ts'
import { formatError } from '../output/errors.ts'
import type { Report } from './pages.ts'
import type { Session } from './session.ts'
import { clipTexts, cutText } from './size.ts'

/** A tool: what clients list, and what it does. */
export interface Tool<Args> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** JSON schemas of its arguments, and of its list's entries; the latter's name is that of `Report`. */
  readonly input: Readonly<Record<string, object>>
  readonly required?: readonly string[]
  readonly output: Readonly<Record<string, object>>
  readonly annotations: Pick<ToolAnnotations, 'readOnlyHint' | 'destructiveHint' | 'idempotentHint'>
  /** The signal aborts when the client cancels the call. */
  run(session: Session, args: Args, signal: AbortSignal): Promise<Report>
}

/** A tool whose arguments are known to it alone. */
export interface AnyTool {
  readonly name: string
  /** The result removes it again. */
  register(server: McpServer, session: Session): { remove(): void }
}

/** Arguments that every tool takes. */
export interface CommonArgs {
  readonly project?: string
  readonly cursor?: string
}

const text = { type: 'string' } as const
const common = {
  project: { ...text, description: 'Absolute folder or name of the project; default: the one you work in' },
  cursor: { ...text, description: 'The cursor of an earlier answer, for the rest of it; without other arguments' },
} as const
const projectFacts = {
  type: 'object',
  properties: { name: text, path: text, branch: { type: ['string', 'null'] }, domain: { type: ['string', 'null'] } },
  required: ['name', 'path'],
} as const

/** Makes a tool to register. */
export function defineTool<Args extends CommonArgs>(tool: Tool<Args>): AnyTool {
  const { name, title, description, input, required = [], output, annotations } = tool
  const own = { type: 'object', properties: { ...input, ...common }, additionalProperties: false } as const
  // A page by cursor needs nothing else.
  const needs = required.length === 0 ? {} : { anyOf: [{ required: [...required] }, { required: ['cursor'] }] }
  const schema = fromJsonSchema<Args>({ ...own, ...needs })
  const { '~standard': standard } = schema
  // Checked by the tool: the SDK's own message is of its validator.
  const inputSchema: StandardSchemaWithJSON<unknown, unknown> = {
    '~standard': { ...standard, types: undefined, validate: value => ({ value }) },
  }
  const read = async (given: unknown): Promise<Args> => {
    const result = await standard.validate(given)
    if (result.issues === undefined) return result.value
    const { argumentError } = await import('./argument-faults.ts')
    throw argumentError(name, { ...own, required }, given)
  }
  const outputSchema = fromJsonSchema({
    type: 'object',
    properties: {
      ...{ project: projectFacts, summary: text, more: { type: 'integer' }, cursor: { type: ['string', 'null'] } },
      ...output,
    },
    required: ['summary', 'more', 'cursor'],
  })
  return {
    name,
    register: (server, session) =>
      server.registerTool(
        name,
        { title, description, inputSchema, outputSchema, annotations: { ...annotations, openWorldHint: false } },
        async (given: unknown, { mcpReq: { signal } }) =>
          await answer(
            session,
            () => read(given),
            (args: Args) => tool.run(session, args, signal),
          ),
      ),
  }
}

async function answer<Args extends CommonArgs>(
  session: Session,
  read: () => Promise<Args>,
  run: (args: Args) => Promise<Report>,
): Promise<CallToolResult> {
  try {
    const args = await read()
    if (args.cursor !== undefined) return session.pages.next(args.cursor)
    return await session.pages.first(await run(args), value => session.redact(value))
  } catch (error) {
    return await describeError(session, error)
  } finally {
    // What was called may have started the daemon, or changed the project.
    await session.refreshTools()
  }
}

/** An error's message and hint in at most so many bytes. */
const mostOfError = 6000

/** Returns an error as the model reads it: what failed, its code, and how to go on. */
async function describeError(session: Session, error: unknown): Promise<CallToolResult> {
  const reported = formatError(LocaldError.from(error))
  // Without the daemon it has no value of an environment in it.
  const masked = await session.redact(clipTexts(reported)).catch(() => reported.split('\n').slice(0, 1).join(''))
  const text = cutText(typeof masked === 'string' ? masked : reported, mostOfError)
  return { content: [{ type: 'text', text }], isError: true }
}
