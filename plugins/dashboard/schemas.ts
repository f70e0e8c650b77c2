import type { Scheme } from './cookies.ts'
import { placePattern } from './places.ts'

/** The query of a request for the dashboard's URL. */
export interface AddressQuery {
  readonly scheme?: Scheme
}

/** The body of a request for a sign-in URL. */
export interface TokenBody {
  /** The path of the page to begin with. */
  readonly place?: string
  readonly scheme?: Scheme
  /** Whether a file is made that leads to the URL. */
  readonly file?: boolean
}

const scheme = { enum: ['http', 'https'], description: 'The scheme of the URL, where the proxy serves it' } as const

const url = {
  200: {
    description: 'The URL',
    content: {
      'application/json': { schema: { type: 'object', required: ['url'], properties: { url: { type: 'string' } } } },
    },
  },
} as const

/** Describes the route that returns where the dashboard is. */
export const addressSchema = {
  summary: 'Show the URL of the dashboard',
  querystring: { type: 'object', properties: { scheme } },
  response: url,
} as const

const link = {
  200: {
    description: 'The URL, and the URL of the file that leads to it, if it was asked for and could be written',
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['url'],
          properties: { url: { type: 'string' }, file: { type: 'string' } },
        },
      },
    },
  },
} as const

/** Describes the route that makes a sign-in URL. */
export const tokenSchema = {
  summary: 'Make a URL that signs one browser in to the dashboard',
  description:
    'On the Unix socket only. The URL is valid once, for 24 hours. A file is removed when the URL is used, or after 5 minutes.',
  body: {
    type: ['object', 'null'],
    properties: {
      place: { type: 'string', pattern: placePattern, maxLength: 1024 },
      scheme,
      file: { type: 'boolean', description: 'Also write a file, only for this user, that leads to the URL' },
    },
    additionalProperties: false,
  },
  response: link,
} as const
