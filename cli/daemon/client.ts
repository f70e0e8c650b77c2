import type { Socket } from 'node:net'
import { type ErrorJson, LocaldError } from '../../kernel/errors.ts'
import { versionOf } from '../../kernel/system/package.ts'
import { type Paths, readAddress } from '../../kernel/system/paths.ts'
import { printStderr } from '../output/terminal.ts'
import { connectOrWait } from './connect.ts'
import { type Answer, connectionLost, type Request, send } from './http.ts'
import { valuesOf } from './lines.ts'
import { type TopicBatch, topicsOf } from './topics.ts'

/** A plain request is answered from memory or by a short check; doctor's checks take longest. ms */
const answerMs = 60_000
const doing = 'waiting for its answer'
/** A daemon that stops, stops its services first, ms. */
const closingMs = 60_000
/** The stream of topics has a ping every 15 s, ms. */
const silenceMs = 40_000

/**
 * When a new daemon is started in place of one that exited during a request: `services`, where that one left some
 * running.
 */
type Revival = 'always' | 'services' | 'never'

/** Sends requests to the daemon, each over its own connection. */
export class Client {
  readonly #paths: Paths
  /** The connection by which the daemon was found, for the first request. */
  #ready: Socket | undefined

  readonly #revival: Revival
  /** Whether a request went to a second daemon already. */
  #isSecond = false

  /** With a revival of `always`, it also waits for a daemon that is stopping. */
  constructor(paths: Paths, ready: Socket, revival: Revival) {
    this.#paths = paths
    // A command without a request can exit.
    this.#ready = ready.unref()
    this.#revival = revival
  }

  /** Closes the connection when no request follows. */
  close(): void {
    this.#ready?.destroy()
    this.#ready = undefined
  }

  /**
   * Returns the answer to a GET. Throws the daemon's error, or DAEMON_UNREACHABLE, also when it sends nothing for
   * `idleMs`.
   */
  async get<T>(path: string, query: Query = {}, idleMs = answerMs): Promise<T> {
    return await parse<T>(await this.#send({ method: 'GET', target: path + queryOf(query), doing, idleMs }))
  }

  /** Returns the bytes of the answer to a GET. */
  async download(path: string): Promise<Buffer> {
    const { body } = await this.#send({ method: 'GET', target: path, doing, idleMs: answerMs })
    const pieces: Buffer[] = []
    for await (const piece of body) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  /** Returns the answer to a POST. `idleMs` null: no limit. */
  async post<T>(path: string, body: unknown, idleMs: number | null = answerMs): Promise<T> {
    const limit = idleMs === null ? {} : { idleMs }
    return await parse<T>(await this.#send({ method: 'POST', target: path, body, doing, ...limit }))
  }

  /**
   * Returns a stream of NDJSON; the request is sent when it is first read, and its batches are read as fast as they are
   * consumed.
   */
  stream<T>(request: StreamRequest): Stream<T> {
    return this.#follow(request, valuesOf<T>)
  }

  /** Returns topics of `GET /v1/stream`, as `stream`. A daemon that sends nothing, not even its ping, is lost. */
  topics(names: readonly TopicBatch['topic'][], query: Query, doing: string): Stream<TopicBatch> {
    const request = { method: 'GET', path: '/v1/stream', query: { topic: names, ...query }, doing } as const
    return this.#follow({ ...request, idleMs: silenceMs }, topicsOf)
  }

  #follow<T>(request: StreamRequest, decode: (body: Answer['body']) => AsyncIterable<readonly T[]>): Stream<T> {
    const { path, query = {}, onOpen, ...rest } = request
    const stop = new AbortController()
    const { signal } = stop
    const open = () => this.#send({ ...rest, target: path + queryOf(query), signal })
    async function* read(): AsyncGenerator<readonly T[]> {
      try {
        const { body } = await open()
        onOpen?.()
        yield* decode(body)
      } catch (error) {
        // A stream that the caller closed has no error.
        if (!signal.aborted) throw error
      }
    }
    return { batches: read(), close: () => stop.abort() }
  }

  async #send(request: Request): Promise<Answer> {
    if (!reportsVersion.test(request.target)) reportOtherVersion(this.#paths)
    const socket = this.#ready ?? (await connectOrWait(this.#paths))
    this.#ready = undefined
    if (socket === undefined) throw connectionLost(request.doing)
    const answer = await send(socket.ref(), request)
    if (answer === undefined) return await this.#retry(request, connectionLost(request.doing))
    if (answer.status < 400) return answer
    const error = await readError(answer)
    if (error.code !== 'DAEMON_CLOSING') throw addVersionHint(error)
    if (this.#revival !== 'always') throw error
    const { waitForShutdown } = await import('./start.ts')
    await waitForShutdown(this.#paths, closingMs)
    return await this.#retry(request, error)
  }

  /** Sends the request to the next daemon, once, where this one has exited or is stopping. */
  async #retry(request: Request, error: LocaldError): Promise<Answer> {
    if (this.#revival === 'never' || this.#isSecond || request.signal?.aborted === true) throw error
    const { hasServices, startDaemon } = await import('./start.ts')
    if (this.#revival === 'services' && !hasServices(this.#paths)) throw error
    this.#isSecond = true
    this.#ready = await startDaemon(this.#paths)
    return await this.#send(request)
  }
}

/** Requests that replace the daemon, or whose answer has its version. */
const reportsVersion = /^\/v1\/(?:server\/|doctor)/
let isReported = false

/** Warns once of a daemon of another version: it keeps running when locald is upgraded. */
function reportOtherVersion(paths: Paths): void {
  const version = isReported ? undefined : findOtherVersion(paths)
  if (version === undefined) return
  isReported = true
  printStderr(`Warning: the daemon is locald ${version}, this command is locald ${versionOf()}`)
  printStderr('Hint: Run `locald server restart`; services keep running.')
}

/** Returns the version of a daemon of another version; undefined: it is the same, or unknown. */
export function findOtherVersion(paths: Paths): string | undefined {
  const version = readAddress(paths.data)?.version
  return version === versionOf() ? undefined : version
}

/** Adds a hint to the error of a request that the API of a daemon of another version does not have. */
function addVersionHint(error: LocaldError): LocaldError {
  if (error.code !== 'REQUEST_INVALID' || error.hint !== undefined) return error
  const hint = 'Run `locald server restart` if the daemon is of another version; services keep running.'
  return new LocaldError(error.code, error.message, { hint, problems: error.problems, cause: error })
}

/** The request of a stream. `doing` completes "lost connection to the daemon while …". */
export type StreamRequest = Pick<Request, 'method' | 'body' | 'doing' | 'idleMs'> & {
  readonly path: string
  readonly query?: Query
  /** Called when the head of the answer has arrived. */
  readonly onOpen?: () => void
}

/** A stream's values in the batches they arrive in; `close` closes it without an error. */
export interface Stream<T> {
  readonly batches: AsyncIterable<readonly T[]>
  close(): void
}

/** Query values; undefined and false are left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** Returns the daemon if one runs. Throws DAEMON_UNREACHABLE when its socket cannot be used. */
export async function findDaemon(paths: Paths): Promise<Client | undefined> {
  const socket = await connectOrWait(paths)
  return socket === undefined ? undefined : new Client(paths, socket, 'never')
}

/** Returns the daemon, started when none runs. Throws DAEMON_START, KEEPER_MISSING. */
export async function requireDaemon(paths: Paths): Promise<Client> {
  const socket = await connectOrWait(paths)
  if (socket !== undefined) return new Client(paths, socket, 'always')
  const { startDaemon } = await import('./start.ts')
  return new Client(paths, await startDaemon(paths), 'always')
}

/** Returns the daemon if one runs; starts one if a killed daemon left services to be adopted. */
export async function findOrReviveDaemon(paths: Paths): Promise<Client | undefined> {
  const socket = await connectOrWait(paths)
  // A killed daemon may accept a connection in its last moment.
  if (socket !== undefined) return new Client(paths, socket, 'services')
  const { hasServices } = await import('./start.ts')
  return hasServices(paths) ? await requireDaemon(paths) : undefined
}

function queryOf(query: Query): string {
  const pairs = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue
    for (const each of typeof value === 'object' ? value : [value]) pairs.append(name, String(each))
  }
  const text = pairs.toString()
  return text === '' ? '' : `?${text}`
}

async function parse<T>(answer: Answer): Promise<T> {
  const value: T = JSON.parse(await textOf(answer))
  return value
}

async function textOf(answer: Answer): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of answer.body) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

async function readError(answer: Answer): Promise<LocaldError> {
  const text = await textOf(answer)
  try {
    const body: { error: ErrorJson } = JSON.parse(text)
    if (typeof body.error.code === 'string') return LocaldError.fromJSON(body.error)
  } catch {
    // Not the daemon's own error: reported below.
  }
  return new LocaldError('DAEMON_UNREACHABLE', `the daemon answered with status ${answer.status}`, {
    hint: 'Run `locald server restart`: another version of locald may be running.',
  })
}
