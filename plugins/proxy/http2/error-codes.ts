import { constants, type ServerHttp2Session } from 'node:http2'

/** What nghttp2 finds wrong with a connection, by its own number, and what RFC 9113 section 7 calls it. */
const codes: ReadonlyMap<unknown, number> = new Map([
  [-505, constants.NGHTTP2_PROTOCOL_ERROR],
  [-510, constants.NGHTTP2_STREAM_CLOSED],
  [-522, constants.NGHTTP2_FRAME_SIZE_ERROR],
  [-523, constants.NGHTTP2_COMPRESSION_ERROR],
  [-524, constants.NGHTTP2_FLOW_CONTROL_ERROR],
])

/** Has a client's mistake called by its name in GOAWAY: node:http2 says INTERNAL_ERROR for all of them. */
export function nameErrors(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session)
  session.destroy = (error, code = codeOf(error)) => destroy(error, code)
}

// node:http2 gives null, too, or a code in its place.
function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errno' in error ? codes.get(error.errno) : undefined
}
