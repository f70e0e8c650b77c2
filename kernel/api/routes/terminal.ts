import type { FastifyPluginAsync } from 'fastify'
import type { WebSocket } from 'ws'
import type { TerminalSize } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Kernel } from '../../kernel.ts'
import type { TerminalControl, TerminalQuery } from '../../protocol.ts'
import type { Service } from '../../services/service.ts'
import { Terminals } from '../../terminals/terminals.ts'
import { Viewer } from '../../terminals/viewer.ts'
import { terminalQuery } from '../request-schemas.ts'
import { nameIn } from './services.ts'

/** Close code of a client that sends what it must not (RFC 6455, 7.4.1). */
const policyViolation = 1008
/** A client that has not read so many bytes of notes and output is disconnected. */
const unreadLimit = 4 * 1024 * 1024
/** The largest size of a terminal, in cells of either direction. */
const cellsLimit = 1000

/** Returns the route of services' terminals. */
export function terminalRoutes({ projects, container }: Kernel, failed: (text: string) => void): FastifyPluginAsync {
  const terminals = new Terminals(container.use.memory, error => failed(`a terminal failed: ${messageOf(error)}`))
  const schema = {
    summary: 'Open the terminal of a service, as a WebSocket',
    description:
      'Binary frames are output, and what is typed. Text frames are JSON: TerminalNote from the daemon, TerminalControl to it.',
    querystring: terminalQuery,
    response: { 101: { description: 'A WebSocket' } },
  }
  return async app => {
    app.addHook('onClose', async () => terminals.close())
    app.get<{ Querystring: TerminalQuery }>('/services/terminal', { schema }, async ({ query }, reply) => {
      const { service } = await projects.target(query.path, nameIn(query))
      terminals.requireRoom()
      const { cols, rows } = query
      return reply.webSocket(socket => serve({ terminals, service, socket, size: { cols, rows } }))
    })
  }
}

/** Connects a client with a terminal. */
function serve(of: {
  readonly terminals: Terminals
  readonly service: Service
  readonly socket: WebSocket
  readonly size: TerminalSize
}): void {
  const { socket } = of
  const send = (frame: Uint8Array | string) => {
    if (socket.bufferedAmount > unreadLimit) socket.terminate()
    else if (socket.readyState === socket.OPEN) socket.send(frame)
  }
  const viewer = new Viewer({ bytes: send, note: note => send(JSON.stringify(note)) }, of.size)
  const { session, leave } = of.terminals.join(of.service, viewer)
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
