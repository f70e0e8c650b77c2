import { chmodSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply } from 'fastify'
import type { Log } from '../contract/plugin.ts'
import { catalogue, LocaldError, messageOf, systemCode } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { within } from '../system/async.ts'
import { IdleConnections } from './connections.ts'
import { answerMalformed, refuseTunnels } from './malformed-request.ts'
import { streams } from './ndjson.ts'
import { openApi } from './openapi.ts'
import { machineRoutes } from './routes/daemon.ts'
import { logRoutes } from './routes/logs.ts'
import { projectRoutes } from './routes/projects.ts'
import { registryRoutes } from './routes/registry.ts'
import { serviceRoutes } from './routes/services.ts'
import { checkSchemas, noCompilers } from './validation.ts'

/** A client makes a connection for each request, and sends it at once. */
const connectionLimits = { idle: 2048, sending: 64 } as const
/** A caller's environment is sent with `up`: bytes. */
const bodyLimit = 4 * 1024 * 1024
/** A whole request head must have come after this, ms. */
const headMs = 10_000
const requestMs = 60_000
/** A reader of many logs says what it has of each. */
const headBytes = 64 * 1024
/** A plugin may take so long to declare its routes, ms. */
const routesMs = 2000

/** The daemon's HTTP API on its unix socket. */
export class Api {
  readonly #app: FastifyInstance
  readonly #connections: IdleConnections
  #socket: string

  private constructor(app: FastifyInstance, connections: IdleConnections, socket: string) {
    this.#app = app
    this.#connections = connections
    this.#socket = socket
  }

  /**
   * Listens; the daemon's lock is held, so that a socket that is there already is an earlier one's. A plugin whose routes cannot be had
   * is told of in the log, and stops nothing.
   */
  static async listen(kernel: Kernel, shutdown: () => void, log: (owner: string) => Log): Promise<Api> {
    const { socket } = kernel.paths
    const server = createServer({ headersTimeout: headMs, requestTimeout: requestMs, maxHeaderSize: headBytes })
    const connections = new IdleConnections(server, connectionLimits)
    refuseTunnels(server)
    const app = Fastify({
      bodyLimit,
      clientErrorHandler: answerMalformed,
      frameworkErrors: (error, _, reply) => refuse(reply, asLocaldError(error)),
      schemaController: { compilersFactory: noCompilers },
      serverFactory: handler => server.on('request', handler),
    })
    checkSchemas(app)
    app.setErrorHandler((error, _, reply) => refuse(reply, asLocaldError(error)))
    app.setNotFoundHandler((request, reply) =>
      refuse(reply, new LocaldError('REQUEST_INVALID', `the API has no ${request.method} ${request.url}`), 404),
    )
    openApi(app, kernel.version)
    await app.register(streams, { memory: kernel.container.use.memory })
    await app.register(projectRoutes(kernel, shutdown), { prefix: '/v1' })
    await app.register(serviceRoutes(kernel), { prefix: '/v1' })
    await app.register(logRoutes(kernel), { prefix: '/v1' })
    await app.register(machineRoutes(kernel), { prefix: '/v1' })
    await app.register(registryRoutes(kernel), { prefix: '/v1' })
    for (const { owner, prefix: below, plugin } of kernel.contributions.routes()) {
      const prefix = `/v1${below}`
      const tell = (error: unknown) => log(owner).error(`not all of ${prefix} is there: ${messageOf(error)}`)
      app.register(inTime(plugin, tell), { prefix }).after(error => {
        // Of what it registers in turn.
        if (error) tell(error)
      })
    }
    rmSync(socket, { force: true })
    await app.listen({ path: socket })
    closeToOthers(socket)
    return new Api(app, connections, socket)
  }

  /** Listens on this path, no longer on the last one. Requests that are under way go on. */
  async listenOn(socket: string): Promise<void> {
    const { server } = this.#app
    // Before the next is bound: it unlinks its path.
    server.close()
    rmSync(socket, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: socket }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    closeToOthers(socket)
    this.#socket = socket
  }

  async close(): Promise<void> {
    rmSync(this.#socket, { force: true })
    this.#connections.closeAll()
    await this.#app.close()
  }
}

/** Beside its folder, which is closed. One that was removed since it was bound is noticed by whoever looks after it. */
function closeToOthers(socket: string): void {
  try {
    chmodSync(socket, 0o600)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** A plugin's routes. What goes wrong while they are declared is told: fastify would not start any more. */
function inTime(plugin: FastifyPluginAsync, tell: (error: unknown) => void): FastifyPluginAsync {
  return async (app, options) => {
    containStart(app, tell)
    const late = () => new LocaldError('PLUGIN_TIMEOUT', `its routes were not declared in ${routesMs} ms`)
    await within(routesMs, plugin(app, options), late).catch(tell)
  }
}

/** Has `onReady` hooks that are added to an instance, or below it, fail and hang for themselves: fastify would not start any more. */
function containStart(app: FastifyInstance, tell: (error: unknown) => void): void {
  const addHook = app.addHook
  Object.defineProperty(app, 'addHook', {
    value(this: FastifyInstance, name: unknown, hook: unknown): unknown {
      return Reflect.apply(addHook, this, [name, name === 'onReady' ? contained(hook, tell) : hook])
    },
  })
}

function contained(hook: unknown, tell: (error: unknown) => void): unknown {
  if (typeof hook !== 'function') return hook
  return async function (this: FastifyInstance): Promise<void> {
    const run = new Promise<unknown>((resolve, reject) => {
      const done = (error?: unknown) => (error ? reject(error) : resolve(undefined))
      const result = Reflect.apply(hook, this, hook.length > 0 ? [done] : [])
      if (hook.length === 0) resolve(result)
    })
    const late = () => new LocaldError('PLUGIN_TIMEOUT', `its onReady hook did not end in ${routesMs} ms`)
    await within(routesMs, run, late).catch(tell)
  }
}

function refuse(reply: FastifyReply, error: LocaldError, status: number = catalogue[error.code].status): void {
  void reply.code(status).send({ error: error.toJSON() })
}

/** What fastify itself has against a request is the caller's fault; the rest is as thrown. */
function asLocaldError(error: unknown): LocaldError {
  if (LocaldError.is(error)) return error
  if (systemCode(error)?.startsWith('FST_ERR_') === true && error instanceof Error) {
    const isTooLarge = systemCode(error) === 'FST_ERR_CTP_BODY_TOO_LARGE'
    return new LocaldError('REQUEST_INVALID', error.message, {
      hint: isTooLarge
        ? `It may have ${bodyLimit / 1024 / 1024} MB; the environment that \`up\` was run with is in it.`
        : 'The CLI and the daemon may differ in version: `locald server restart`.',
    })
  }
  return LocaldError.from(error)
}
