import type { ClientAddress } from '../message/forwarded.ts'
import type { PublicOrigin } from '../message/public-urls.ts'
import type { RequestInfo } from '../message/request-info.ts'
import type { LocalResponse } from '../pages/responses.ts'

/** A request as it is routed and forwarded. */
export interface Arrival {
  readonly info: RequestInfo
  /** What the service learns about the client. */
  readonly client: ClientAddress
  /** The origin under which the client sees the service. */
  readonly origin: PublicOrigin
}

/** Reads what a client has sent as a request for a service, or returns the response to a request for none. */
export type ReadArrival = (info: RequestInfo, client: ClientAddress) => Arrival | LocalResponse

/** Reads requests for the services' own names: as they are. */
export const readOwnArrival: ReadArrival = (info, client) => ({
  info,
  client,
  origin: { scheme: client.scheme, host: info.host },
})
