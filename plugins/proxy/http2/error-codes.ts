import { constants, type ServerHttp2Session } from 'node:http2'

/** nghttp2's own error numbers, and the codes of RFC 9113 section 7. */
const codes: ReadonlyMap<unknown, number> = new Map([
  [-505, constants.NGHTTP2_PROTOCOL_ERROR],
  [-510, constants.NGHTTP2_STREAM_CLOSED],
  [-522, constants.NGHTTP2_FRAME_SIZE_ERROR],
  [-523, constants.NGHTTP2_COMPRESSION_ERROR],
  [-524, constants.NGHTTP2_FLOW_CONTROL_ERROR],
])

/** Sends the code of a client's error in GOAWAY: node:http2 sends INTERNAL_ERROR for all of them. */
export function sendErrorCodes(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session)
  session.destroy = (error, code = codeOf(error)) => destroy(error, code)
}

// node:http2 also passes null, or a code instead of the error.
function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errno' in error ? codes.get(error.errno) : undefined
}
