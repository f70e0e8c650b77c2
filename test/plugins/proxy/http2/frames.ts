import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Test } from 'tap'
import type { Running } from '../lib/boot.ts'

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** The types of frames (RFC 9113 section 6). */
export const kinds = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, window: 8, continuation: 9 }

/** Returns a frame (RFC 9113 section 4.1). */
export function frame(
  type: keyof typeof kinds,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(kinds[type], 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const authority = Buffer.concat([Buffer.of(0x41, 14), Buffer.from('shop.localhost')])
/** GET https://shop.localhost/, from HPACK's static table. */
export const request = Buffer.concat([Buffer.of(0x82, 0x87, 0x84), authority])

/** Returns a literal field without indexing (RFC 7541 section 6.2.2). */
export function field(name: string, value: string): Buffer {
  const text = (it: string): Buffer => Buffer.concat([length(it.length), Buffer.from(it, 'latin1')])
  return Buffer.concat([Buffer.of(0), text(name), text(value)])
}

function length(size: number): Buffer {
  if (size < 127) return Buffer.of(size)
  const bytes = [127]
  for (let rest = size - 127; ; rest >>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest & 127) | 128)
  }
}

/** Opens a TLS connection that has negotiated HTTP/2, for raw frames. */
export async function speaker(t: Test, run: Running): Promise<TLSSocket> {
  const options = { ca: run.ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }
  const socket = tlsConnect({ host: '127.0.0.1', port: run.securePort, ...options })
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  socket.write(Buffer.concat([preface, frame('settings', 0, 0)]))
  return socket
}

/** A received frame. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** Calls back for each received frame; `skip` bytes precede the first. */
export function readFrames(stream: Duplex, skip: number, each: (frame: Frame) => void): void {
  let held = Buffer.alloc(0)
  let left = skip
  stream.on('data', (bytes: Buffer) => {
    const skipped = Math.min(left, bytes.length)
    left -= skipped
    held = Buffer.concat([held, bytes.subarray(skipped)])
    while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
      const end = 9 + held.readUIntBE(0, 3)
      const payload = Buffer.from(held.subarray(9, end))
      each({ type: held[3] ?? 0, flags: held[4] ?? 0, stream: held.readUInt32BE(5), payload })
      held = held.subarray(end)
    }
  })
}
