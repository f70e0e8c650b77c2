import type { FastifyPluginAsync } from 'fastify'
import type { WebSocket } from 'ws'
import type { TerminalSize } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Kernel } from '../../kernel.ts'
import { startOneOff } from '../../operations/one-off/one-off.ts'
import type {
  RunAnswer,
  RunBody,
  RunCloseBody,
  RunsAnswer,
  RunTerminalQuery,
  TerminalControl,
  TerminalQuery,
} from '../../protocol.ts'
import { type Joined, Terminals } from '../../terminals/terminals.ts'
import { Viewer } from '../../terminals/viewer.ts'
import { answer } from '../schemas/answers.ts'
import { runBody, runCloseBody, runTerminalQuery, terminalQuery } from '../schemas/requests.ts'
import { runs as runsAnswer, started } from '../schemas/runs.ts'
import { nameIn } from './services.ts'

/** Close code of a client that sends what it must not (RFC 6455, 7.4.1). */
const policyViolation = 1008
/** A client that has not read so many bytes of notes and output is disconnected. */
const unreadLimit = 4 * 1024 * 1024
/** The largest size of a terminal, in cells of either direction. */
const cellsLimit = 1000

const frames =
  'Binary frames are output, and what is typed. Text frames are JSON: TerminalNote from the daemon, TerminalControl to it.'
const socketAnswer = { 101: { description: 'A WebSocket' } }

/** Returns the routes of services' terminals, and of commands on terminals of their own. */
export function terminalRoutes(
  { operations, projects, runs, container }: Kernel,
  failed: (text: string) => void,
): FastifyPluginAsync {
  const terminals = new Terminals(container.use.memory, error => failed(`a terminal failed: ${messageOf(error)}`))
  return async app => {
    app.addHook('onClose', async () => terminals.close())
    app.get<{ Querystring: TerminalQuery }>(
      '/services/terminal',
      {
        schema: {
          summary: 'Open the terminal of a service, as a WebSocket',
          ...{ description: frames, querystring: terminalQuery, response: socketAnswer },
        },
      },
      async ({ query }, reply) => {
        const { service } = await projects.target(query.path, nameIn(query))
        const { cols, rows } = query
        terminals.requireRoom()
        return reply.webSocket(socket => serve(socket, { cols, rows }, viewer => terminals.join(service, viewer)))
      },
    )
    app.post<{ Body: RunBody }>(
      '/services/run',
      {
        schema: {
          summary: "Start a command in a service's place, on a terminal of its own",
          body: runBody,
          response: answer('The command; it runs until it exits or is closed', started),
        },
      },
      async ({ body }) => (await startOneOff(projects, { runs, use: operations }, body)) satisfies RunAnswer,
    )
    app.get(
      '/runs',
      {
        schema: {
          summary: 'Show the commands that were started on terminals of their own',
          response: answer('Those that run, and those that have exited and were not closed', runsAnswer),
        },
      },
      async () => ({ runs: runs.list() }) satisfies RunsAnswer,
    )
    app.post<{ Body: RunCloseBody }>(
      '/runs/close',
      {
        schema: {
          summary: 'Stop a command on a terminal of its own, and forget it',
          body: runCloseBody,
          response: answer('The commands that are left', runsAnswer),
        },
      },
      async ({ body }) => {
        await runs.close(body.id)
        return { runs: runs.list() } satisfies RunsAnswer
      },
    )
    app.get<{ Querystring: RunTerminalQuery }>(
      '/runs/terminal',
      {
        schema: {
          summary: 'Open the terminal of a command, as a WebSocket',
          ...{ description: frames, querystring: runTerminalQuery, response: socketAnswer },
        },
      },
      async ({ query: { id, cols, rows } }, reply) => {
        const { session } = runs.get(id)
        terminals.requireRoom()
        return reply.webSocket(socket => serve(socket, { cols, rows }, viewer => terminals.enter(session, viewer)))
      },
    )
  }
}

/** Connects a client with a terminal. */
function serve(socket: WebSocket, size: TerminalSize, join: (viewer: Viewer) => Joined): void {
  const send = (frame: Uint8Array | string) => {
    if (socket.bufferedAmount > unreadLimit) socket.terminate()
    else if (socket.readyState === socket.OPEN) socket.send(frame)
  }
  const viewer = new Viewer({ bytes: send, note: note => send(JSON.stringify(note)) }, size)
  const { session, leave } = join(viewer)
  socket.on('error', () => socket.terminate())
  socket.once('close', leave)
  socket.on('message', (data, isBinary) => {
    const bytes = Buffer.concat([data].flat().map(part => (part instanceof ArrayBuffer ? Buffer.from(part) : part)))
    if (isBinary) return session.type(bytes)
    const control = parseControl(bytes.toString())
    if (control === undefined) return socket.close(policyViolation, 'not a control frame')
    if ('ack' in control) return session.acknowledge(viewer, control.ack)
    const [cols, rows] = control.resize
    viewer.size = { cols, rows }
    session.fit()
  })
}

/** Parses a text frame; undefined: it is none of the protocol. */
function parseControl(text: string): TerminalControl | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    if ('ack' in value) return isCount(value.ack, Number.MAX_SAFE_INTEGER) ? { ack: value.ack } : undefined
    if (!('resize' in value) || !Array.isArray(value.resize)) return undefined
    const [cols, rows]: readonly unknown[] = value.resize
    return isCount(cols, cellsLimit) && isCount(rows, cellsLimit) ? { resize: [cols, rows] } : undefined
  } catch {
    return undefined
  }
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most
}
