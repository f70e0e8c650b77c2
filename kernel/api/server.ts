import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply } from 'fastify'
import type { HttpApi, Log } from '../contract/plugin.ts'
import { catalogue, LocaldError, messageOf, systemCode } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { withTimeout } from '../system/async.ts'
import { IdleConnections } from './connections.ts'
import { answerMalformed, refuseTunnels } from './malformed-request.ts'
import { streams } from './ndjson.ts'
import { openApi } from './openapi.ts'
import { daemonRoutes } from './routes/daemon.ts'
import { graphRoutes } from './routes/graph.ts'
import { logRoutes } from './routes/logs.ts'
import { projectRoutes } from './routes/projects.ts'
import { registryRoutes } from './routes/registry.ts'
import { serviceDetailRoutes } from './routes/service-details.ts'
import { serviceRoutes } from './routes/services.ts'
import { sessionRoutes } from './routes/session.ts'
import { streamRoutes } from './routes/stream.ts'
import { terminalRoutes } from './routes/terminal.ts'
import { StreamSlots } from './stream/slots.ts'
import { checkSchemas, noCompilers } from './validation.ts'
import { webSockets } from './websockets.ts'

/** A client opens a connection for each request and sends it immediately. */
const connectionLimits = { idle: 2048, sending: 64 } as const
/** Bytes; `up` sends the caller's environment. */
const bodyLimit = 4 * 1024 * 1024
/** Time limit for a complete request head, ms. */
const headMs = 10_000
const requestMs = 60_000
/** Bytes; a reader that resumes many logs sends its position in each. */
const headBytes = 64 * 1024
/** Time limit for a plugin to declare its routes, ms. */
const routesMs = 2000

/** The daemon's HTTP API on its Unix socket. */
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
   * Starts listening. The caller holds the daemon's lock, so an existing socket belongs to an earlier daemon. A plugin
   * whose routes cannot be registered is logged and stops nothing.
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
      refuse(reply, new LocaldError('REQUEST_INVALID', `route not found: ${request.method} ${request.url}`), 404),
    )
    openApi(app, kernel.version)
    const slots = new StreamSlots(kernel.container.use.memory)
    await app.register(streams, { slots })
    await app.register(projectRoutes(kernel, shutdown), { prefix: '/v1' })
    await app.register(serviceRoutes(kernel), { prefix: '/v1' })
    await app.register(serviceDetailRoutes(kernel), { prefix: '/v1' })
    await app.register(graphRoutes(kernel), { prefix: '/v1' })
    await app.register(webSockets)
    await app.register(terminalRoutes(kernel, log('terminals').error), { prefix: '/v1' })
    await app.register(logRoutes(kernel), { prefix: '/v1' })
    await app.register(daemonRoutes(kernel), { prefix: '/v1' })
    await app.register(registryRoutes(kernel), { prefix: '/v1' })
    await app.register(sessionRoutes(kernel), { prefix: '/v1' })
    await app.register(streamRoutes(kernel, slots), { prefix: '/v1' })
    for (const { owner, prefix: below, plugin } of kernel.contributions.routes()) {
      const prefix = `/v1${below}`
      const report = (error: unknown) =>
        log(owner).error(`could not register all routes of ${prefix}: ${messageOf(error)}`)
      app.register(withTimeLimit(plugin, report), { prefix }).after(error => {
        // Errors of plugins that it registers in turn.
        if (error) report(error)
      })
    }
    rmSync(socket, { force: true })
    await app.listen({ path: socket })
    denyOthers(socket)
    kernel.api.set({ handle: (request, response) => app.routing(request, response), upgrade: upgradeBy(server) })
    return new Api(app, connections, socket)
  }

  /** Listens on this path instead of the previous one. Running requests continue. */
  async listenOn(socket: string): Promise<void> {
    const { server } = this.#app
    // Before the next bind, because closing unlinks the path.
    server.close()
    rmSync(socket, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: socket }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    denyOthers(socket)
    this.#socket = socket
  }

  async close(): Promise<void> {
    rmSync(this.#socket, { force: true })
    this.#connections.closeAll()
    await this.#app.close()
  }
}

/** Hands a request to the route for WebSockets, which waits for them at the server. */
function upgradeBy(server: Server): HttpApi['upgrade'] {
  return (request, socket, head) => {
    if (!server.emit('upgrade', request, socket, head)) socket.destroy()
  }
}

/**
 * Denies other users the socket, in addition to its folder's mode. The socket guard handles one that was removed since
 * its bind.
 */
function denyOthers(socket: string): void {
  try {
    chmodSync(socket, 0o600)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** Registers a plugin's routes within the time limit and reports errors, which would keep Fastify from starting. */
function withTimeLimit(plugin: FastifyPluginAsync, report: (error: unknown) => void): FastifyPluginAsync {
  return async (app, options) => {
    containReadyHooks(app, report)
    const timeout = () => new LocaldError('PLUGIN_TIMEOUT', `declaring the routes timed out after ${routesMs} ms`)
    await withTimeout(routesMs, plugin(app, options), timeout).catch(report)
  }
}

/**
 * Reports failed and hanging `onReady` hooks of an instance, and of those below it, which would keep Fastify from
 * starting.
 */
function containReadyHooks(app: FastifyInstance, report: (error: unknown) => void): void {
  const addHook = app.addHook
  Object.defineProperty(app, 'addHook', {
    value(this: FastifyInstance, name: unknown, hook: unknown): unknown {
      return Reflect.apply(addHook, this, [name, name === 'onReady' ? containHook(hook, report) : hook])
    },
  })
}

function containHook(hook: unknown, report: (error: unknown) => void): unknown {
  if (typeof hook !== 'function') return hook
  return async function (this: FastifyInstance): Promise<void> {
    const run = new Promise<unknown>((resolve, reject) => {
      const done = (error?: unknown) => (error ? reject(error) : resolve(undefined))
      const result = Reflect.apply(hook, this, hook.length > 0 ? [done] : [])
      if (hook.length === 0) resolve(result)
    })
    const timeout = () => new LocaldError('PLUGIN_TIMEOUT', `the onReady hook timed out after ${routesMs} ms`)
    await withTimeout(routesMs, run, timeout).catch(report)
  }
}

function refuse(reply: FastifyReply, error: LocaldError, status: number = catalogue[error.code].status): void {
  void reply.code(status).send({ error: error.toJSON() })
}

/** Converts Fastify's own errors to the caller's fault, any other as thrown. */
function asLocaldError(error: unknown): LocaldError {
  if (LocaldError.is(error)) return error
  if (systemCode(error)?.startsWith('FST_ERR_') === true && error instanceof Error) {
    const isTooLarge = systemCode(error) === 'FST_ERR_CTP_BODY_TOO_LARGE'
    return new LocaldError('REQUEST_INVALID', error.message, {
      hint: isTooLarge
        ? `Send at most ${bodyLimit / 1024 / 1024} MB; the environment that \`up\` was run with is part of it.`
        : 'Run `locald server restart`: the CLI and the daemon may differ in version.',
    })
  }
  return LocaldError.from(error)
}
