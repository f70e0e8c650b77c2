import type { WorktreeService } from '../../kernel/contract/plugin.ts'
import { isLoopback, type Places } from './places.ts'

/** An address of another checkout's service. */
export interface Address {
  /** A port of this machine, or a host name. */
  readonly place: number | string
  readonly target: WorktreeService
}

/** Lists of origins, cookies and the like name other addresses without using them. */
const names = /ORIGIN|CORS|ALLOW|TRUST|COOKIE|REDIRECT|CALLBACK|DOMAIN|REFERE/i

/** A variable that has an address. */
export interface ConfiguredAddress extends Address {
  readonly variable: string
}

/** Finds the variables of a service whose whole value is an address of another checkout's service. */
export function findConfigured(service: WorktreeService, places: Places): readonly ConfiguredAddress[] {
  return Object.entries(service.env).flatMap(([variable, value]): readonly ConfiguredAddress[] => {
    const address = names.test(variable) ? undefined : addressIn(value)
    if (address === undefined) return []
    const { host, port } = address
    const named = places.atHost(service, host)
    if (named !== undefined) return [{ variable, place: host, target: named }]
    const target = port !== undefined && isLoopback(host) ? places.atPort(service, port) : undefined
    return target === undefined || port === undefined ? [] : [{ variable, place: port, target }]
  })
}

/** Finds the first variable of a service whose value has an address anywhere. */
export function findVariable({ env }: WorktreeService, place: Address['place']): string | undefined {
  const pattern = mentionOf(place)
  return Object.keys(env).find(name => pattern.test(env[name] ?? '') || isPort(name, env[name], place))
}

/** Returns what matches an address in a text. */
export function mentionOf(place: Address['place']): RegExp {
  if (typeof place === 'number') return new RegExp(`:${place}(?!\\d)`)
  return new RegExp(`(?<![\\w.-])${place.replaceAll('.', '\\.')}(?![\\w-]|\\.\\w)`, 'i')
}

/** `API_PORT=20123` */
function isPort(name: string, value: string | undefined, place: Address['place']): boolean {
  return /port$/i.test(name) && value === String(place)
}

interface HostPort {
  readonly host: string
  readonly port: number | undefined
}

/** Parses a value that is one URL, or a host with a port. */
function addressIn(value: string): HostPort | undefined {
  const text = value.trim().replace(/^jdbc:/, '')
  const [, host, port] = /^([\w.-]+|\[[\da-f:]+\]):(\d{2,5})$/i.exec(text) ?? []
  if (host !== undefined) return { host, port: Number(port) }
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s,]+$/i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.hostname === '' ? undefined : { host: url.hostname, port: url.port === '' ? undefined : Number(url.port) }
}
