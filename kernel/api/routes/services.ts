import type { FastifyPluginAsync } from 'fastify'
import { LocaldError } from '../../errors.ts'
import type { Kernel } from '../../kernel.ts'
import { findForeignNeeds } from '../../operations/foreign/needs.ts'
import { listCommands } from '../../operations/one-off/command-call.ts'
import { prepareOneOff, prepareUsed } from '../../operations/one-off/one-off.ts'
import { configWarnings } from '../../operations/reports/config-warnings.ts'
import { explainState } from '../../operations/reports/why.ts'
import { servicesOf } from '../../projects/selectors.ts'
import type {
  ConfigAnswer,
  ConfigBody,
  InferredAnswer,
  InferredQuery,
  KeysAnswer,
  KeysQuery,
  OneOffBody,
  OpenAnswer,
  ServiceCommandsAnswer,
  ServiceQuery,
  StatusAnswer,
  TranslationAnswer,
  TranslationBody,
  UseBody,
  WhyAnswer,
} from '../../protocol.ts'
import { unresolvedIn } from '../../services/prepare.ts'
import { answer, nothing } from '../schemas/answers.ts'
import { opening } from '../schemas/daemon.ts'
import { config, inferred, translation } from '../schemas/projects.ts'
import {
  configBody,
  inferredQuery,
  keysQuery,
  oneOffBody,
  serviceQuery,
  translationBody,
  useBody,
} from '../schemas/requests.ts'
import { account, keys, oneOff as oneOffAnswer, serviceCommands, services } from '../schemas/services.ts'

/** Returns the read-only routes of services and configurations. */
export function serviceRoutes(kernel: Kernel): FastifyPluginAsync {
  const { operations, projects, usage } = kernel
  return async app => {
    app.get<{ Querystring: KeysQuery }>(
      '/services',
      {
        schema: {
          summary: 'Show the state of services',
          querystring: keysQuery,
          response: answer('The services of a project, or of all projects', services),
        },
      },
      async ({ query }) => {
        const isNamed = query.all !== true && [query.service ?? []].flat().length > 0
        const services = isNamed
          ? await projects.select(query)
          : projects.services(query.all === true ? undefined : query.path)
        const views = await usage.of(services)
        operations.deleted.look()
        const starters = services.map(({ ref }) => operations.leases.describe(ref))
        return { services: views.map((view, index) => ({ ...view, ...starters[index] })) } satisfies StatusAnswer
      },
    )
    app.get<{ Querystring: KeysQuery }>(
      '/services/keys',
      {
        schema: {
          summary: 'Resolve names of services',
          querystring: keysQuery,
          response: answer('Their keys', keys),
        },
      },
      async ({ query }) => {
        return { keys: (await projects.select(query)).map(({ ref }) => ref.key) } satisfies KeysAnswer
      },
    )
    app.get<{ Querystring: ServiceQuery }>(
      '/services/why',
      {
        schema: {
          summary: 'Explain why a service is in its state',
          querystring: serviceQuery,
          response: answer('One causal account', account),
        },
      },
      async ({ query }) => {
        const { project, service } = await projects.target(query.path, nameIn(query))
        return (await explainState(project, service, kernel.diagnoses, projects.list())) satisfies WhyAnswer
      },
    )
    app.get<{ Querystring: ServiceQuery }>(
      '/services/one-off',
      {
        schema: {
          summary: "Show how to run a command in a service's place, without variables of the caller's shell",
          querystring: serviceQuery,
          response: answer('Its folder and environment: secret', oneOffAnswer),
        },
      },
      async ({ query }) => prepareOneOff(projects, { path: query.path, service: nameIn(query), env: {} }),
    )
    app.post<{ Body: OneOffBody }>(
      '/services/one-off',
      {
        schema: {
          summary: "Show how to run a command in a service's place",
          body: oneOffBody,
          response: answer('Its folder and environment: secret', oneOffAnswer),
        },
      },
      async ({ body }) => prepareUsed(projects, operations, body),
    )
    app.post<{ Body: UseBody }>(
      '/services/use',
      {
        schema: {
          summary: 'Note that services are in use as long as a process runs',
          body: useBody,
          response: answer('It is noted', nothing),
        },
      },
      async ({ body: { path, services, pid } }) => {
        await operations.noteUser({ path, services }, pid)
        return {}
      },
    )
    app.get<{ Querystring: KeysQuery }>(
      '/services/commands',
      {
        schema: {
          summary: 'Show the commands that services declare',
          querystring: keysQuery,
          response: answer('The commands of each service, with their arguments', serviceCommands),
        },
      },
      async ({ query }) => {
        const targets = await projects.targets({ ...query, services: [query.service ?? []].flat() })
        const services = targets.flatMap(target =>
          servicesOf(target).map(service => ({
            key: service.ref.key,
            commands: listCommands(target.project, service),
          })),
        )
        return { services } satisfies ServiceCommandsAnswer
      },
    )
    app.get<{ Querystring: ServiceQuery }>(
      '/services/open',
      {
        schema: {
          summary: 'Show the URL of a service, and how to open it',
          querystring: serviceQuery,
          response: answer('argv is null if no browser can be opened', opening),
        },
      },
      async ({ query }) => open(kernel, query),
    )
    app.get<{ Querystring: InferredQuery }>(
      '/projects/inferred',
      {
        schema: {
          summary: 'Show what an `up` of a folder without a `locald.toml` would run',
          querystring: inferredQuery,
          response: answer('The services and the file that describes them', inferred),
        },
      },
      async ({ query }) => (await projects.infer(query)) satisfies InferredAnswer,
    )
    app.post<{ Body: TranslationBody }>(
      '/projects/translation',
      {
        schema: {
          summary: 'Translate files of another format to a `locald.toml`',
          body: translationBody,
          response: answer('The services with their comments, and what has no counterpart', translation),
        },
      },
      async ({ body }) => (await projects.translate(body)) satisfies TranslationAnswer,
    )
    app.post<{ Body: ConfigBody }>(
      '/config',
      {
        schema: {
          summary: 'Show the merged configuration of a project',
          body: configBody,
          response: answer('Each value with its file and line', config),
        },
      },
      async ({ body }) => {
        const loaded = await projects.load(body.path, { shell: body.env, draft: body.draft })
        const { name, path } = loaded.plan
        const { home, contributions } = projects
        const foreign = await findForeignNeeds([{ loaded, names: undefined }], { projects, home, shell: body.env })
          .then(() => undefined)
          .catch((error: unknown) => LocaldError.from(error))
        const unresolved = (foreign ?? (await unresolvedIn(loaded, body.env, { contributions })))?.toJSON()
        const more =
          unresolved === undefined ? { warnings: await configWarnings(loaded, body.env, kernel) } : { unresolved }
        return { project: name, path, values: await loaded.values(), ...more } satisfies ConfigAnswer
      },
    )
  }
}

/** Returns the service that a query names. */
export function nameIn(query: ServiceQuery): string {
  if (query.service !== undefined) return query.service
  throw new LocaldError('REQUEST_INVALID', "missing query parameter 'service'")
}

/**
 * Returns a service's URL; without a name, that of the service with the project's domain, else of the first with a URL.
 */
async function open({ projects, contributions }: Kernel, query: ServiceQuery): Promise<OpenAnswer> {
  const [target] = await projects.targets({
    path: query.path,
    ...(query.service === undefined ? {} : { services: [query.service] }),
  })
  const services = target?.names.flatMap(name => target.project.service(name) ?? []) ?? []
  const named = services.filter(({ hosts }) => hosts.length > 0)
  const main = named.find(({ hosts }) => hosts[0] === target?.project.ref.domain) ?? named[0]
  const url = main?.state.now.url ?? null
  if (url === null) {
    throw new LocaldError('SERVICE_NOT_RUNNING', `${query.service ?? 'the project'} has no URL`, {
      hint:
        main === undefined
          ? 'Name a service with a port and a host name.'
          : 'Run `locald doctor` to see why its host name is not served.',
    })
  }
  return { url, ...((await contributions.opener?.(url)) ?? { argv: null }) }
}
