import type { FastifyPluginAsync } from 'fastify'
import { projectSchema } from '../../config/load.ts'
import { examine } from '../../doctor.ts'
import { LocaldError } from '../../errors.ts'
import type { Kernel } from '../../kernel.ts'
import type {
  BootPlan,
  BootUnit,
  CommandAnswer,
  CommandBody,
  DoctorQuery,
  PluginsAnswer,
  Pong,
  ServerStatus,
} from '../../protocol.ts'
import { closest } from '../../system/suggest.ts'
import { bootBody, commandBody, doctorQuery } from '../request-schemas.ts'
import {
  answer,
  bootPlan,
  commandResult,
  diagnosis,
  plugins as pluginsAnswer,
  pong,
  server,
} from '../response-schemas.ts'

/** The daemon itself, its plugins and this machine. */
export function machineRoutes(kernel: Kernel): FastifyPluginAsync {
  const { contributions, container, place, plugins, version, startedAt } = kernel
  return async app => {
    app.get(
      '/ping',
      { schema: { summary: 'Whether the daemon is there', response: answer('It is', pong) } },
      async () => ({ pong: true, pid: process.pid, version }) satisfies Pong,
    )
    app.get(
      '/server',
      {
        schema: {
          summary: 'The daemon and the ports of its proxy',
          response: answer('null where it does not listen', server),
        },
      },
      async () => {
        const web = container.optional('web')
        const { socket } = place
        const ports = { http: web?.http ?? null, https: web?.https ?? null }
        return { pid: process.pid, socket, ...ports, version, startedAt } satisfies ServerStatus
      },
    )
    app.post<{ Body: BootUnit }>(
      '/server/boot',
      {
        schema: {
          summary: 'How the daemon is started with the machine',
          body: bootBody,
          response: answer('What is to be written and run', bootPlan),
        },
      },
      async ({ body }) => (await container.use.boot.plan(body)) satisfies BootPlan,
    )
    app.get(
      '/plugins',
      { schema: { summary: 'All plugins', response: answer('Those that are off or broken, too', pluginsAnswer) } },
      async () => ({ plugins }) satisfies PluginsAnswer,
    )
    app.get<{ Querystring: DoctorQuery }>(
      '/doctor',
      {
        schema: {
          summary: 'Runs the checks of this machine',
          querystring: doctorQuery,
          response: answer('What they found', diagnosis),
        },
      },
      async ({ query }) => examine({ contributions, plugins, own: kernel.checks, only: query.check }),
    )
    app.get(
      '/schema',
      {
        schema: {
          summary: 'What a project may have in locald.toml',
          response: answer('A JSON schema', { type: 'object' }),
        },
      },
      async () => projectSchema(kernel.projects.types),
    )
    app.post<{ Params: { name: string }; Body: CommandBody }>(
      '/commands/:name',
      {
        schema: {
          summary: 'Runs a command of a plugin',
          body: commandBody,
          response: answer('What it says', commandResult),
        },
      },
      async ({ params, body }, reply) => {
        const gone = new AbortController()
        reply.raw.once('close', () => gone.abort())
        const { argv, ...asked } = body
        const context = { ...asked, project: kernel.projects.folderAbove(body.cwd), signal: gone.signal }
        return (await commandOf(kernel, params.name).run(argv, context)) satisfies CommandAnswer
      },
    )
  }
}

function commandOf({ contributions }: Kernel, name: string) {
  const command = contributions.command(name)
  if (command !== undefined) return command
  const near = closest(name, contributions.commandNames())
  throw new LocaldError('UNKNOWN_COMMAND', `unknown command '${name}'`, {
    hint: near === undefined ? '`locald --help` lists the commands.' : `Did you mean '${near}'?`,
  })
}
