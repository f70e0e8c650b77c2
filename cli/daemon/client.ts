import type { Socket } from 'node:net'
import { type ErrorJson, LocaldError } from '../../kernel/errors.ts'
import { versionOf } from '../../kernel/system/package.ts'
import { type Paths, readPlace } from '../../kernel/system/paths.ts'
import { say } from '../output/terminal.ts'
import { meet } from './connect.ts'
import { type Answer, endedWhile, type Request, send } from './http.ts'

/** A plain request is answered from memory or by a short look; doctor's checks take longest. ms */
const answerMs = 60_000
const doing = 'it was asked'
/** A daemon that ends stops its services first, ms. */
const closingMs = 60_000

/** When the next daemon is started in the place of one that ended while it was asked: `services`, where that one left some. */
type Revival = 'always' | 'services' | 'never'

/** The daemon, seen from here: every request takes a connection of its own. */
export class Client {
  readonly #paths: Paths
  /** The connection that showed that the daemon is there, for the first request. */
  #ready: Socket | undefined

  readonly #revival: Revival
  /** Whether another daemon had to be asked already. */
  #isSecond = false

  /** With a revival of `always`, a daemon that is ending is waited for, too. */
  constructor(paths: Paths, ready: Socket, revival: Revival) {
    this.#paths = paths
    // A command that asks nothing of it can end.
    this.#ready = ready.unref()
    this.#revival = revival
  }

  /** Gives up the connection of a request that is not made. */
  close(): void {
    this.#ready?.destroy()
    this.#ready = undefined
  }

  /** A value. Throws what the daemon says, or DAEMON_UNREACHABLE, also when it is silent for `idleMs`. */
  async get<T>(path: string, query: Query = {}, idleMs = answerMs): Promise<T> {
    return await parse<T>(await this.#send({ method: 'GET', target: path + queryOf(query), doing, idleMs }))
  }

  /** As `get`, with a body. `idleMs` null: it takes as long as it takes. */
  async post<T>(path: string, body: unknown, idleMs: number | null = answerMs): Promise<T> {
    const limit = idleMs === null ? {} : { idleMs }
    return await parse<T>(await this.#send({ method: 'POST', target: path, body, doing, ...limit }))
  }

  /** A stream of NDJSON, asked for when it is first read, and read as fast as its batches are taken. */
  stream<T>(request: StreamRequest): Stream<T> {
    const { path, query = {}, ...rest } = request
    const stop = new AbortController()
    const { signal } = stop
    const open = () => this.#send({ ...rest, target: path + queryOf(query), signal })
    async function* read(): AsyncGenerator<readonly T[]> {
      try {
        yield* batches<T>((await open()).body)
      } catch (error) {
        // Whoever closed a stream knows that it ends.
        if (!signal.aborted) throw error
      }
    }
    return { batches: read(), close: () => stop.abort() }
  }

  async #send(request: Request): Promise<Answer> {
    if (!namesVersion.test(request.target)) reportOtherVersion(this.#paths)
    const socket = this.#ready ?? (await meet(this.#paths))
    this.#ready = undefined
    if (socket === undefined) throw endedWhile(request.doing)
    const answer = await send(socket.ref(), request)
    if (answer === undefined) return await this.#again(request, endedWhile(request.doing))
    if (answer.status < 400) return answer
    const error = await failure(answer)
    if (error.code !== 'DAEMON_CLOSING') throw withHint(error)
    if (this.#revival !== 'always') throw error
    const { ended } = await import('./start.ts')
    await ended(this.#paths, closingMs)
    return await this.#again(request, error)
  }

  /** Asks the next daemon, once, where the one that was asked has ended or is ending. */
  async #again(request: Request, error: LocaldError): Promise<Answer> {
    if (this.#revival === 'never' || this.#isSecond || request.signal?.aborted === true) throw error
    const { hasServices, startDaemon } = await import('./start.ts')
    if (this.#revival === 'services' && !hasServices(this.#paths)) throw error
    this.#isSecond = true
    this.#ready = await startDaemon(this.#paths)
    return await this.#send(request)
  }
}

/** Requests that put a new daemon in the place of the other, or whose answer says it. */
const namesVersion = /^\/v1\/(?:server\/|doctor)/
let isReported = false

/** Says, once, that the daemon is of another version: it runs on when locald is upgraded. */
function reportOtherVersion(paths: Paths): void {
  const version = isReported ? undefined : otherVersion(paths)
  if (version === undefined) return
  isReported = true
  say(`Warning: the daemon is locald ${version}, this command is locald ${versionOf()}`)
  say('Hint: Run `locald server restart`; services keep running.')
}

/** The version of a daemon that is not of this one; undefined: it is, or none says so. */
export function otherVersion(paths: Paths): string | undefined {
  const version = readPlace(paths.data)?.version
  return version === versionOf() ? undefined : version
}

/** The CLI asks for what the API of its own version has. */
function withHint(error: LocaldError): LocaldError {
  if (error.code !== 'REQUEST_INVALID' || error.hint !== undefined) return error
  const hint = 'The daemon may be of another version: run `locald server restart`; services keep running.'
  return new LocaldError(error.code, error.message, { hint, problems: error.problems, cause: error })
}

/** What a stream is asked with. `doing` ends "the daemon ended while …". */
export type StreamRequest = Pick<Request, 'method' | 'body' | 'doing'> & {
  readonly path: string
  readonly query?: Query
}

/** A stream's values in the batches they arrive in; `close` ends it quietly. */
export interface Stream<T> {
  readonly batches: AsyncIterable<readonly T[]>
  close(): void
}

/** Query values; undefined and false are left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** The daemon if one runs. Throws DAEMON_UNREACHABLE when its socket cannot be used. */
export async function find(paths: Paths): Promise<Client | undefined> {
  const socket = await meet(paths)
  return socket === undefined ? undefined : new Client(paths, socket, 'never')
}

/** The daemon, started when none runs. Throws DAEMON_START, KEEPER_MISSING. */
export async function need(paths: Paths): Promise<Client> {
  const socket = await meet(paths)
  if (socket !== undefined) return new Client(paths, socket, 'always')
  const { startDaemon } = await import('./start.ts')
  return new Client(paths, await startDaemon(paths), 'always')
}

/** The daemon if one runs, or if one that was killed left services to be taken over. */
export async function findOrRevive(paths: Paths): Promise<Client | undefined> {
  const socket = await meet(paths)
  // A killed daemon may take a connection in its last moment.
  if (socket !== undefined) return new Client(paths, socket, 'services')
  const { hasServices } = await import('./start.ts')
  return hasServices(paths) ? await need(paths) : undefined
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

/** The values of the lines that each piece of the body completes. */
async function* batches<T>(body: AsyncIterable<Buffer>): AsyncGenerator<readonly T[]> {
  let open: Buffer[] = []
  for await (const piece of body) {
    const end = piece.lastIndexOf(10)
    if (end < 0) {
      open.push(piece)
      continue
    }
    const lines = Buffer.concat([...open, piece.subarray(0, end)]).toString('utf8')
    open = [piece.subarray(end + 1)]
    const values: T[] = []
    for (const line of lines.split('\n')) if (line !== '') values.push(JSON.parse(line))
    yield values
  }
}

async function failure(answer: Answer): Promise<LocaldError> {
  const text = await textOf(answer)
  try {
    const body: { error: ErrorJson } = JSON.parse(text)
    if (typeof body.error.code === 'string') return LocaldError.fromJSON(body.error)
  } catch {
    // Not the daemon's own words: told below.
  }
  return new LocaldError('DAEMON_UNREACHABLE', `the daemon answered with status ${answer.status}`, {
    hint: 'Another version of locald may be running: `locald server restart`.',
  })
}
