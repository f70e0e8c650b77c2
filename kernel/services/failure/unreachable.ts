import type { Fault, Listener, Protocol } from '../../contract/plugin.ts'
import { speaksTls } from '../health/probes.ts'

/** A service that cannot be reached: its port, and where its processes listen, as far as that is visible. */
export interface Unreached {
  readonly name: string
  readonly port: number
  readonly protocol: Protocol | undefined
  readonly listeners: readonly Listener[]
}

/** The timeout of a handshake: ms. */
const handshakeMs = 1000
/** Addresses that a connection to 127.0.0.1 or ::1 reaches; `*` as lsof writes it. */
const loopback = /^(127\.0\.0\.1|0\.0\.0\.0|::1?|\*|::ffff:(127\.0\.0\.1|0\.0\.0\.0))$/

/** Whether a connection to 127.0.0.1 or ::1 reaches a listener on this address. */
export function isOnLoopback(address: string): boolean {
  return loopback.test(address)
}

/** Finds out why a service is not reached: it listens on another port or address, or speaks another protocol. */
export async function findFault(service: Unreached, mayBeTls: boolean): Promise<Fault | undefined> {
  return faultOfPlace(service) ?? (mayBeTls ? await faultOfProtocol(service) : undefined)
}

function faultOfPlace({ name, port, listeners }: Unreached): Fault | undefined {
  const [other] = listeners.map(listener => listener.port).sort((a, b) => a - b)
  const here = listeners.filter(listener => listener.port === port)
  if (here.length === 0 && other !== undefined) {
    return {
      message: `${name} listens on port ${other}, not on $PORT (${port})`,
      hint: `Make its command listen on $PORT, or set \`port = ${other}\` for it.`,
    }
  }
  const [first] = here
  if (first === undefined || here.some(({ address }) => isOnLoopback(address))) return undefined
  const address = first.address.includes(':') ? `[${first.address}]` : first.address
  return {
    message: `${name} listens on ${address}:${port}, not on 127.0.0.1 or [::1]`,
    hint: 'Make its command listen on $HOST (127.0.0.1), or on 0.0.0.0.',
  }
}

async function faultOfProtocol({ name, port, protocol }: Unreached): Promise<Fault | undefined> {
  if (protocol === 'h2c') return undefined
  const isTls = await speaksTls(port, handshakeMs)
  if (isTls === true && protocol !== 'https') {
    return {
      message: `${name} speaks TLS: set \`protocol = "https"\``,
      hint: `Write \`protocol = "https"\` in [services.${name}] of locald.toml, or have its command serve plain HTTP.`,
    }
  }
  if (isTls === false && protocol === 'https') {
    return {
      message: `${name} does not speak TLS, but has \`protocol = "https"\``,
      hint: `Remove \`protocol\` from [services.${name}], or have its command serve HTTPS.`,
    }
  }
  return undefined
}
