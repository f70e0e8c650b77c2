import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { systemCode } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import { framingOf, headLines } from '../message/headers.ts'
import * as errorPages from '../pages/errors.ts'
import { type LocalResponse, render } from '../pages/responses.ts'
import type { RateLimitedLog } from '../rate-limited-log.ts'
import { abandon, type Pipeline } from './pipeline.ts'

/** Returns the error response to a request whose framing Node's parser accepts, but which must not be forwarded. */
export function framingError(req: IncomingMessage): LocalResponse | undefined {
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0') return errorPages.unsupportedVersion(req.httpVersion)
  const framing = framingOf(req.rawHeaders)
  if (framing === 'unknown') return errorPages.unsupportedCoding()
  // RFC 9112 section 6.1: such framing is faulty.
  return framing === 'chunked' && req.httpVersion === '1.0' ? errorPages.badRequest('chunked in HTTP/1.0') : undefined
}

/** Answers bytes that Node's parser rejects, or a head that took too long; the valid requests before that first. */
export function rejectMalformed(
  {
    socket,
    error,
    pipeline,
  }: { readonly socket: Duplex; readonly error: Error; readonly pipeline: Pipeline | undefined },
  { limits, clientLog }: { readonly limits: Limits; readonly clientLog: RateLimitedLog },
): void {
  if (pipeline?.ending) return
  const code = systemCode(error) ?? ''
  const isSilent = 'bytesRead' in socket && socket.bytesRead === 0
  if (!socket.writable || code === 'ECONNRESET' || isSilent || pipeline === undefined) return void socket.destroy()
  pipeline.ending = true
  // After a request with `Connection: close` nothing is a request (RFC 9112 section 9.6).
  if (code === 'HPE_CLOSED_CONNECTION') return
  // The malformed bytes may be the body of a request in flight.
  const { last } = pipeline
  const partial = last?.req.complete === false ? last : undefined
  pipeline.afterOthers(partial, () => {
    if (partial?.headersSent) return void socket.destroy()
    if (partial !== undefined) {
      if (partial.socket !== null) partial.detachSocket(partial.socket)
      abandon(partial)
    }
    respond(socket, describeParseError(code, error.message, limits.head), { limits, clientLog })
  })
  // Where a client has closed its half, Node closes the connection with the last good response.
  for (const res of pipeline.open) if (res !== partial) res.prependOnceListener('finish', () => pipeline.closed(res))
}

/** A status, and why a request is rejected with it. */
type ParseFailure = readonly [status: number, why: string]

function respond(
  socket: Duplex,
  [status, why]: ParseFailure,
  { limits, clientLog }: { readonly limits: Limits; readonly clientLog: RateLimitedLog },
): void {
  if (!socket.writable) return void socket.destroy()
  clientLog.warn(`rejected a malformed request: ${why}`)
  const { reason, headers, body } = render({ ...errorPages.badRequest(why), status }, false)
  const head = headLines(`HTTP/1.1 ${status} ${reason}`, [...headers, 'Connection', 'close'])
  // Keep reading for a moment: a reset could overtake the response.
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]), () =>
    setTimeout(() => socket.destroy(), limits.closing).unref(),
  )
}

function describeParseError(code: string, message: string, maxHead: number): ParseFailure {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, `a head of more than ${maxHead} bytes`]
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'timeout while reading the head']
  // The same code is used for a version that is malformed, such as HTTP/x.1.
  if (code === 'HPE_INVALID_VERSION' && message.endsWith('Invalid HTTP version'))
    return [505, 'unsupported version of HTTP']
  return [400, message]
}
