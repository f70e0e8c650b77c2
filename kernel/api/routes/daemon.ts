import type { FastifyPluginAsync } from 'fastify'
import { projectSchema } from '../../config/load.ts'
import { runChecks } from '../../doctor.ts'
import { LocaldError } from '../../errors.ts'
import type { Kernel } from '../../kernel.ts'
import { DiskUse } from '../../operations/disk/disk-use.ts'
import { DoctorFixes } from '../../operations/doctor-fixes.ts'
import { findPortHolder } from '../../operations/reports/port-holder.ts'
import type { Feature } from '../../plugins/features.ts'
import type {
  BootPlan,
  BootUnit,
  CommandAnswer,
  CommandBody,
  CommandView,
  DiskAnswer,
  DoctorQuery,
  FixAnswer,
  FixBody,
  OpenAnswer,
  OpenerQuery,
  PluginsAnswer,
  PluginView,
  Pong,
  PortAnswer,
  ServerStatus,
} from '../../protocol.ts'
import { closest } from '../../system/suggest.ts'
import { answer } from '../schemas/answers.ts'
import { bootPlan, diagnosis, disk as diskUse, fixed, opening, pong, portHolder, server } from '../schemas/daemon.ts'
import { commandResult, commandView, plugins as pluginsAnswer } from '../schemas/plugins.ts'
import { bootBody, commandBody, doctorQuery, fixBody, openerQuery, portQuery } from '../schemas/requests.ts'

/** Routes of the daemon itself, its plugins and this machine. */
export function daemonRoutes(kernel: Kernel): FastifyPluginAsync {
  const { contributions, container, features, place, plugins, version, startedAt } = kernel
  const fixes = new DoctorFixes(kernel.paths.sandbox)
  const disk = new DiskUse({
    data: kernel.paths.data,
    plugins: () => contributions.disks().map(({ it }) => it),
  })
  return async app => {
    app.get(
      '/ping',
      { schema: { summary: 'Check that the daemon runs', response: answer('It runs', pong) } },
      async () => ({ pong: true, pid: process.pid, version }) satisfies Pong,
    )
    app.get<{ Querystring: { readonly port: number } }>(
      '/ports',
      {
        schema: {
          summary: 'Show who listens on a port',
          querystring: portQuery,
          response: answer('A service, the daemon, another process or no one', portHolder),
        },
      },
      async ({ query }) => (await findPortHolder(kernel, query.port)) satisfies PortAnswer,
    )
    app.get(
      '/server',
      {
        schema: {
          summary: 'Show the daemon and the ports that host names are served on',
          response: answer('Ports are null where no plugin listens', server),
        },
      },
      async () => {
        const own = { pid: process.pid, socket: place.socket }
        const ports = { http: null, https: null }
        // Twice: no plugin's field replaces them, and they come first.
        return { ...own, ...ports, ...contributions.status(), ...own, version, startedAt } satisfies ServerStatus
      },
    )
    app.get<{ Querystring: OpenerQuery }>(
      '/server/opener',
      {
        schema: {
          summary: 'Show how to open a URL in the browser',
          querystring: openerQuery,
          response: answer('The command; null where this machine cannot', opening),
        },
      },
      async ({ query: { url } }) =>
        ({ url, ...((await contributions.opener?.(url)) ?? { argv: null }) }) satisfies OpenAnswer,
    )
    app.post<{ Body: BootUnit }>(
      '/server/boot',
      {
        schema: {
          summary: 'Plan how to start the daemon at login',
          body: bootBody,
          response: answer('The file to write and the commands to run', bootPlan),
        },
      },
      async ({ body }) => (await container.use.boot.plan(body)) satisfies BootPlan,
    )
    app.get(
      '/plugins',
      {
        schema: {
          summary: 'List plugins',
          response: answer('All plugins, also disabled and broken ones', pluginsAnswer),
        },
      },
      async () => {
        // Flags that are functions may have changed since the plugins were loaded.
        const now = plugins.map(view =>
          view.state === 'active' ? { ...view, ...featuresOf(features.onBy(view.name)) } : view,
        )
        return { plugins: now } satisfies PluginsAnswer
      },
    )
    app.get<{ Querystring: DoctorQuery }>(
      '/doctor',
      {
        schema: {
          summary: 'Run the checks of this machine',
          querystring: doctorQuery,
          response: answer('Their results', diagnosis),
        },
      },
      async ({ query }) => {
        const found = await runChecks({ contributions, plugins, own: kernel.checks, only: query.check })
        return fixes.note(found, query.check === undefined)
      },
    )
    app.post<{ Body: FixBody }>(
      '/doctor/fix',
      {
        schema: {
          summary: 'Run a command of the last doctor answer that needs no root',
          body: fixBody,
          response: answer('Its exit code and output', fixed),
        },
      },
      async ({ body }) => (await fixes.run(body.command)) satisfies FixAnswer,
    )
    app.get(
      '/disk',
      {
        schema: {
          summary: 'Show what locald has on disk, and its containers in engines that run',
          response: answer('Bytes by project and service, the largest first', diskUse),
        },
      },
      async () => (await disk.measure()) satisfies DiskAnswer,
    )
    app.get(
      '/schema',
      {
        schema: {
          summary: 'Show the JSON schema of locald.toml',
          response: answer('JSON schema', { type: 'object' }),
        },
      },
      async () => projectSchema(kernel.projects.types),
    )
    app.get<{ Params: { name: string } }>(
      '/commands/:name',
      { schema: { summary: 'Show what a command of a plugin does', response: answer('Command', commandView) } },
      async ({ params }) => {
        const { name, description, usage, details, subcommands } = commandOf(kernel, params.name)
        return {
          ...{ name, description },
          ...(usage === undefined ? {} : { usage }),
          ...(details === undefined ? {} : { details }),
          ...(subcommands === undefined ? {} : { subcommands }),
        } satisfies CommandView
      },
    )
    app.post<{ Params: { name: string }; Body: CommandBody }>(
      '/commands/:name',
      {
        schema: {
          summary: 'Run a command of a plugin',
          body: commandBody,
          response: answer('Command result', commandResult),
        },
      },
      async ({ params, body }, reply) => {
        const disconnected = new AbortController()
        reply.raw.once('close', () => disconnected.abort())
        const { argv, ...rest } = body
        const context = { ...rest, project: kernel.projects.folderAbove(body.cwd), signal: disconnected.signal }
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
    hint: near === undefined ? 'Run `locald --help` for the list of commands.' : `Did you mean '${near}'?`,
  })
}

function featuresOf(on: readonly Feature[]): Pick<PluginView, 'features' | 'details'> {
  const details = on.flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason] as const]))
  return {
    features: on.map(({ name }) => name),
    ...(details.length === 0 ? {} : { details: Object.fromEntries(details) }),
  }
}
