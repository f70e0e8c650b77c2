import type { ShareWay } from './provides.ts'

/** JSON schemas of `/v1/shares`; `provides.ts` has their types. */
const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const key = { type: 'string', minLength: 3, maxLength: 200, description: 'Key of the service' } as const
const ways: readonly ShareWay[] = ['lan', 'tailscale', 'cloudflared', 'ngrok']
const via = { enum: ways } as const

function object<P extends object>(properties: P) {
  return { type: 'object', required: Object.keys(properties), properties } as const
}

function list<S extends object>(items: S) {
  return { type: 'array', items } as const
}

const share = object({
  ...{ key: text, via, urls: list(object({ url: text, network: textOrNull })) },
  until: { type: ['string', 'null'], format: 'date-time' },
  detached: { type: 'boolean' },
})

export const shares = object({ shares: list(share) })

export const event = {
  oneOf: [
    object({ event: { enum: ['share'] }, share, notes: list(text) }),
    object({ event: { enum: ['stopped'] }, reason: text }),
  ],
} as const

export const body = {
  type: 'object',
  required: ['key', 'via'],
  properties: {
    key,
    via,
    port: { type: 'integer', minimum: 1, maximum: 65_535 },
    forMs: { type: 'integer', minimum: 1, maximum: 20 * 86_400_000, description: 'Stops after this time' },
    detach: { type: 'boolean', description: 'Whether it goes on when the client disconnects' },
  },
  additionalProperties: false,
} as const

export const stopBody = {
  type: 'object',
  properties: { keys: { ...list(key), description: 'Only those of these services' } },
  additionalProperties: false,
} as const
