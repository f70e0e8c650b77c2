import { placePattern } from './places.ts'

/** The body of a request for a sign-in URL. */
export interface TokenBody {
  /** The path of the page to begin with. */
  readonly place?: string
}

const url = {
  200: {
    description: 'The URL',
    content: {
      'application/json': { schema: { type: 'object', required: ['url'], properties: { url: { type: 'string' } } } },
    },
  },
} as const

/** Describes the route that returns where the dashboard is. */
export const addressSchema = { summary: 'Show the URL of the dashboard', response: url } as const

/** Describes the route that makes a sign-in URL. */
export const tokenSchema = {
  summary: 'Make a URL that signs one browser in to the dashboard',
  description: 'On the Unix socket only. The URL is valid once, for 24 hours.',
  body: {
    type: ['object', 'null'],
    properties: { place: { type: 'string', pattern: placePattern, maxLength: 1024 } },
    additionalProperties: false,
  },
  response: url,
} as const
