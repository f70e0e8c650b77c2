import { createHash } from 'node:crypto'
import type { QueryOutgoingPacket, ResponseOutgoingPacket } from 'multicast-dns'
import type { LanAddress } from './addresses.ts'

export type Answer = ResponseOutgoingPacket['answers'][number]
export type Question = QueryOutgoingPacket['questions'][number]

/** What is announced of a share. */
export interface Announced {
  /** A label: the host name is `NAME.local`. */
  readonly name: string
  readonly port: number
  /** Those of one interface. */
  readonly addresses: readonly LanAddress[]
  /** Those of all interfaces: this machine's own answers are no conflict. */
  readonly own: readonly string[]
}

/** RFC 6762 section 10: records with a host name, and others, s. */
const hostTtl = 120
const otherTtl = 4500
const serviceType = '_http._tcp.local'
/** RFC 6763 section 9. */
const typesName = '_services._dns-sd._udp.local'

/** Returns all records of a share; RFC 6763: DNS-SD of type `_http._tcp`. */
export function recordsOf({ name, port, addresses }: Announced): readonly Answer[] {
  const host = `${name}.local`
  const instance = `${name}.${serviceType}`
  return [
    { type: 'PTR', name: typesName, ttl: otherTtl, data: serviceType },
    { type: 'PTR', name: serviceType, ttl: otherTtl, data: instance },
    { type: 'SRV', name: instance, ttl: hostTtl, flush: true, data: { port, target: host, priority: 0, weight: 0 } },
    { type: 'TXT', name: instance, ttl: otherTtl, flush: true, data: 'path=/' },
    ...addresses.map(({ address, isV6 }): Answer => {
      return { type: isV6 ? 'AAAA' : 'A', name: host, ttl: hostTtl, flush: true, data: address }
    }),
  ]
}

/** Returns the records with the time to live of a goodbye (RFC 6762 section 10.1), without the shared type's. */
export function goodbyeOf(records: readonly Answer[]): readonly Answer[] {
  return records.flatMap(record => (record.name === typesName || !('ttl' in record) ? [] : [{ ...record, ttl: 0 }]))
}

/** Returns the records that answer questions; names have no case. */
export function answersTo(questions: readonly Question[], records: readonly Answer[]): readonly Answer[] {
  return records.filter(record =>
    questions.some(({ name, type }) => {
      return name.toLowerCase() === record.name.toLowerCase() && (String(type) === 'ANY' || type === record.type)
    }),
  )
}

/** Whether a response says that another machine has the host name (RFC 6762 section 9). */
export function isConflict(answers: readonly Answer[], { name, own }: Announced): boolean {
  return answers.some(answer => {
    const isHost = answer.name.toLowerCase() === `${name}.local` && (answer.type === 'A' || answer.type === 'AAAA')
    return isHost && !own.includes(String(answer.data))
  })
}

/** Returns the label for a service: `web-shop`; one that is too long is cut, and has a part of its hash. */
export function nameOf(service: string, project: string, attempt = 1): string {
  const label = `${service}-${project}${attempt === 1 ? '' : `-${attempt}`}`.replace(/[^a-z0-9-]/g, '-')
  if (label.length <= 63) return label
  return `${label.slice(0, 54)}-${createHash('sha256').update(label).digest('hex').slice(0, 8)}`
}
