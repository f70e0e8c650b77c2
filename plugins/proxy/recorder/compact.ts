import { STATUS_CODES } from 'node:http'
import { type ForwardedHeaders, headForService } from '../message/forwarded.ts'
import { type NarrowRequest, readRequest } from '../message/request-head.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Destination } from '../routing/decision.ts'
import { pathWithout } from '../routing/route-table.ts'
import { isSameAddress } from '../upstream/dial.ts'
import { Entry } from './entry.ts'

/** A request that the fast path has forwarded, and that is over. */
export interface FastExchange {
  readonly request: NarrowRequest
  readonly scheme: 'http' | 'https'
  readonly to: Destination
  readonly forwarded: ForwardedHeaders
  /** When it was sent, its response's head came (0: it did not), and it was over: performance.now(). */
  readonly since: number
  readonly headAt: number
  readonly endAt: number
  readonly response: ResponseHead | undefined
  /** Of the response's body. */
  readonly bytes: number
  readonly error: string | undefined
}

/** What many exchanges have in common: a destination without the path. */
type Service = Omit<Destination, 'path'>

/** Both heads of an exchange up to this have room in its slot, bytes; larger ones get a buffer of their own. */
const slotBytes = 2048
/** Numbers of each slot. */
const times = 5
const sizes = 4

/**
 * Exchanges of the fast path, as bytes and numbers until someone reads them. With objects and strings kept for each
 * request the daemon used up to 19 % more CPU, and collections of young objects took two to six times as long
 * (docs/performance.md).
 */
export class CompactStore {
  readonly #capacity: number
  /** Made by the first exchange: many daemons never have one. */
  #heads: Buffer | undefined
  /** Of those that have no room in their slot. */
  readonly #large: (Buffer | undefined)[]
  /** since, headAt, endAt, bytes, changed. */
  readonly #numbers: Float64Array
  /** Bytes of the request's head and of the response's fields; status, or 0; 1 for https. */
  readonly #sizes: Int32Array
  readonly #services: (Service | undefined)[]
  readonly #forwarded: (ForwardedHeaders | undefined)[]
  /** Those that differ from the status's usual one. */
  readonly #reasons: (string | undefined)[]
  readonly #errors: (string | undefined)[]
  #service: Service | undefined

  constructor(capacity: number) {
    const empty = <T>() => new Array<T | undefined>(capacity).fill(undefined)
    this.#capacity = capacity
    this.#numbers = new Float64Array(capacity * times)
    this.#sizes = new Int32Array(capacity * sizes)
    this.#large = empty()
    this.#services = empty()
    this.#forwarded = empty()
    this.#reasons = empty()
    this.#errors = empty()
  }

  /** Keeps an exchange in a slot, and returns about how many bytes it needs. */
  keep(slot: number, fast: FastExchange, changed: number): number {
    const { text } = fast.request
    const fields = fast.response === undefined ? '' : fast.response.fields
    const size = text.length + fields.length
    if (size <= slotBytes) {
      this.#heads ??= Buffer.allocUnsafeSlow(this.#capacity * slotBytes)
      writeHeads(this.#heads, slot * slotBytes, text, fields)
    } else {
      const own = Buffer.allocUnsafeSlow(size)
      writeHeads(own, 0, text, fields)
      this.#large[slot] = own
    }
    this.#keepFacts(slot, fast, changed)
    const i = slot * sizes
    this.#sizes[i] = text.length
    this.#sizes[i + 1] = fields.length
    // An entry made of a large one has its strings besides.
    return size <= slotBytes ? slotBytes : slotBytes + 2 * size
  }

  #keepFacts(slot: number, fast: FastExchange, changed: number): void {
    const { response } = fast
    const status = response === undefined ? 0 : response.status
    const [numbers, i] = [this.#numbers, slot * times]
    numbers[i] = fast.since
    numbers[i + 1] = fast.headAt
    numbers[i + 2] = fast.endAt
    numbers[i + 3] = fast.bytes
    numbers[i + 4] = changed
    this.#sizes[slot * sizes + 2] = status
    this.#sizes[slot * sizes + 3] = fast.scheme === 'https' ? 1 : 0
    this.#services[slot] = this.#serviceOf(fast.to)
    this.#forwarded[slot] = fast.forwarded
    this.#errors[slot] = fast.error
    const isUsual = response === undefined || response.reason === STATUS_CODES[status]
    this.#reasons[slot] = isUsual ? undefined : copyOf(response.reason)
  }

  /** Makes the entry of a slot. */
  entryAt(slot: number): Entry {
    const [requestSize = 0, fieldsSize = 0, status = 0, isSecure = 0] = this.#sizes.subarray(slot * sizes)
    const [since = 0, headAt = 0, endAt = 0, bytes = 0, changed = 0] = this.#numbers.subarray(slot * times)
    const large = this.#large[slot]
    const heads = large ?? this.#heads?.subarray(slot * slotBytes, (slot + 1) * slotBytes)
    const request = heads === undefined ? undefined : readRequest(heads, requestSize)
    if (heads === undefined || typeof request !== 'object') throw new Error('a kept head is no longer readable')
    const { host, path, text } = request
    const method = request.head ? 'HEAD' : 'GET'
    const scheme = isSecure === 1 ? 'https' : 'http'
    const entry = new Entry({ method, path, host, scheme, version: '1.1', fields: text }, since)
    entry.changed = changed
    entry.headAt = headAt
    entry.endAt = endAt
    entry.responseBytes = bytes
    entry.error = this.#errors[slot]
    entry.sent = this.#sentOf(slot, request)
    if (status > 0) {
      const reason = this.#reasons[slot] ?? STATUS_CODES[status] ?? ''
      entry.response = { status, reason, fields: heads.toString('latin1', requestSize, requestSize + fieldsSize) }
    }
    return entry
  }

  /** Frees what a slot has of its own. */
  drop(slot: number): void {
    if (this.#large[slot] !== undefined) this.#large[slot] = undefined
  }

  #sentOf(slot: number, request: NarrowRequest): Entry['sent'] {
    const [service, forwarded] = [this.#services[slot], this.#forwarded[slot]]
    if (service === undefined || forwarded === undefined) return undefined
    const to = { ...service, path: pathWithout(service.prefix ?? '', request.path) }
    const head = headForService(request, to, forwarded)
    const shape = { bodyless: request.head, hasBody: false, fresh: false, upgrade: false }
    return { to, request: { protocol: 'http/1.1', head, ...shape } }
  }

  /** A destination is made for each request, and its path may hold the whole head. */
  #serviceOf({ key, address, prefix, protocol }: Destination): Service {
    const last = this.#service
    if (last !== undefined && last.key === key && last.prefix === prefix && isSameAddress(last.address, address))
      return last
    const service = { key, address, prefix, protocol }
    this.#service = service
    return service
  }
}

function writeHeads(to: Buffer, at: number, text: string, fields: string): void {
  to.write(text, at, text.length, 'latin1')
  if (fields !== '') to.write(fields, at + text.length, fields.length, 'latin1')
}

/** A part of a string may keep the whole one. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
