import { createHash } from 'node:crypto'
import type { McpServer } from '@modelcontextprotocol/server'
import type {
  ArgumentValue,
  CommandArgumentView,
  ServiceCommandsAnswer,
  ServiceCommandView,
} from '../../kernel/protocol.ts'
import { findDaemon } from '../daemon/client.ts'
import { readDeclared } from '../daemon/declared-commands.ts'
import { shortName } from '../output/service-state.ts'
import { findPlace } from './place.ts'
import type { Session } from './session.ts'
import { type AnyTool, type CommonArgs, defineTool } from './tool.ts'
import { runAndReport, runOutput, runTimeout } from './tools/run.ts'

interface Args extends CommonArgs {
  readonly args?: Readonly<Record<string, ArgumentValue>>
  readonly timeout?: number
}

/** The longest name that clients take. */
const longestName = 64
/** More would crowd out the other tools in a model's context. */
const mostTools = 40

/** The tools for the commands that the services of the client's project declare. */
export class DeclaredTools {
  readonly #server: McpServer
  readonly #session: Session
  /** What was registered last, as text. */
  #known = '[]'
  #registered: readonly { remove(): void }[] = []

  constructor(server: McpServer, session: Session) {
    this.#server = server
    this.#session = session
  }

  /** Registers what the project declares now; clients get a notification of the SDK where that has changed. */
  async refresh(): Promise<void> {
    const services = await this.#read().catch(() => undefined)
    const text = JSON.stringify(services)
    if (services === undefined || text === this.#known) return
    this.#known = text
    for (const tool of this.#registered) tool.remove()
    const declared = services.flatMap(({ key, commands }) => commands.map(command => toolOf(shortName(key), command)))
    this.#registered = declared.slice(0, mostTools).map(tool => tool.register(this.#server, this.#session))
  }

  /** Starts no daemon: clients start servers only to ask for their tools. */
  async #read(): Promise<Services | undefined> {
    const daemon = await findDaemon(this.#session.paths)
    if (daemon === undefined) return undefined
    const { path } = await findPlace(this.#session, daemon)
    const masked = await this.#session.redact(await readDeclared(daemon, { path }))
    return isServices(masked) ? masked : undefined
  }
}

type Services = ServiceCommandsAnswer['services']

/** Masking keeps the shape of what it is given. */
function isServices(value: unknown): value is Services {
  return Array.isArray(value)
}

function toolOf(service: string, command: ServiceCommandView): AnyTool {
  const { name, description, run, confirm, args } = command
  const required = args.filter(argument => argument.default === undefined).map(argument => argument.name)
  const schema = {
    type: 'object',
    properties: Object.fromEntries(args.map(argument => [argument.name, schemaOf(argument)])),
    additionalProperties: false,
    required,
  }
  return defineTool<Args>({
    name: toolName(service, name),
    title: `Run ${service} ${name}`,
    description: (description ?? `Runs ${run}`).slice(0, 400),
    input: { ...(args.length === 0 ? {} : { args: schema }), ...runTimeout },
    required: required.length === 0 ? [] : ['args'],
    output: runOutput,
    annotations: { readOnlyHint: false, destructiveHint: confirm, idempotentHint: false },
    run: (session, { project, timeout, args = {} }, signal) => {
      const limit = timeout === undefined ? {} : { timeout }
      const at = project === undefined ? {} : { project }
      return runAndReport(session, { ...at, ...limit, service, what: { command: { name, args } } }, signal)
    },
  })
}

function schemaOf({ type, values, default: preset, description }: CommandArgumentView): object {
  return {
    ...(type === 'enum' ? { type: 'string', enum: values } : { type }),
    ...(preset === undefined ? {} : { default: preset }),
    ...(description === undefined ? {} : { description: description.slice(0, 200) }),
  }
}

/** Returns `run_seed_fresh`; the end of one that is too long is a hash of it. */
function toolName(service: string, command: string): string {
  const name = `run_${service}_${command}`
  if (name.length <= longestName) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, longestName - 9)}_${hash}`
}
