import { isIP } from 'node:net'
import { type RawHeaders, valuesOf } from '../message/headers.ts'
import type { RequestInfo } from '../message/request-info.ts'
import { misdirected, notShared } from '../pages/errors.ts'
import type { FrontSpec } from '../provides.ts'
import type { ReadArrival } from '../routing/arrival.ts'

/** The Host that the client sent, in place of `X-Forwarded-Host`: a convention of Azure's gateways. */
const originalHost = 'X-Original-Host'

/**
 * Reads requests through a front as requests for the service's own name: host checks, CSRF checks and development
 * servers compare Host, Origin and X-Forwarded-Host with each other and with names they know, so that all of them must
 * have the own name. @param authority the service's own, as in its URL; undefined: it has none any more
 */
export function readFrontArrival(spec: FrontSpec, authority: () => string | undefined): ReadArrival {
  return (info, client) => {
    const origin = spec.originOf(info.host.toLowerCase(), client.scheme)
    if (origin === undefined) return misdirected(info.host)
    const own = authority()
    if (own === undefined) return notShared()
    const url = new URL(`${origin.scheme}://${own}`)
    const remote = spec.isTunnel ? senderOf(info.fields) : undefined
    const port = Number(url.port) || (origin.scheme === 'https' ? 443 : 80)
    return {
      info: ownInfo(info, origin, own),
      client: { remote: remote ?? client.remote, port, scheme: origin.scheme },
      origin: { ...origin, ownName: url.hostname },
    }
  }
}

function ownInfo(
  info: RequestInfo,
  { scheme, host }: { readonly scheme: string; readonly host: string },
  own: string,
): RequestInfo {
  const [seen, known] = [`${scheme}://${host}`, `${scheme}://${own}`]
  const fields: string[] = []
  for (let i = 0; i + 1 < info.fields.length; i += 2) {
    const name = info.fields[i] ?? ''
    const value = info.fields[i + 1] ?? ''
    const key = name.toLowerCase().replaceAll('_', '-')
    if (key === 'host') fields.push(name, own)
    else if (key === 'origin' || key === 'referer') fields.push(name, replaceOrigin(value, seen, known))
    else if (key !== originalHost.toLowerCase()) fields.push(name, value)
  }
  fields.push(originalHost, host)
  return { ...info, host: own, name: own.replace(/:\d+$/, ''), fields }
}

function replaceOrigin(url: string, seen: string, known: string): string {
  const isSeen = url.toLowerCase().startsWith(seen) && /^(?:\/|$)/.test(url.slice(seen.length))
  return isSeen ? `${known}${url.slice(seen.length)}` : url
}

/** Returns the client's address as the tunnel has added it, after those that a client may have made up. */
function senderOf(fields: RawHeaders): string | undefined {
  const last = valuesOf(fields, 'x-forwarded-for').at(-1)?.split(',').at(-1)?.trim()
  return last !== undefined && isIP(last) !== 0 ? last : undefined
}
