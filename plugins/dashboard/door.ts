import type { IncomingMessage } from 'node:http'
import { LocaldError } from '../../kernel/errors.ts'
import { style } from '../lib/page/style.ts'
import { type Access, type Caller, schemeOf } from './access.ts'
import { type Answer, htmlAnswer, notFound, refusalAnswer } from './answer.ts'
import type { Assets } from './assets.ts'
import { expiredCookie, sessionCookie, sessionsIn } from './cookies.ts'
import type { OpenRequests } from './open-requests.ts'
import { forwardingPage } from './pages.ts'
import { isPlace } from './places.ts'
import type { Sessions } from './sessions.ts'
import type { SignInFiles } from './sign-in-files.ts'

/** What the door needs. */
export interface DoorParts {
  readonly access: Access
  readonly sessions: Sessions
  readonly files: Pick<SignInFiles, 'remove'>
  readonly requests: Pick<OpenRequests, 'closeStrangers'>
  readonly assets: Assets
}

/** Answers what is not the API's: the app and its files, signing in and out. */
export class Door {
  readonly #parts: DoorParts

  constructor(parts: DoorParts) {
    this.#parts = parts
  }

  answer(request: IncomingMessage, path: string): Answer {
    const { method = 'GET', headers } = request
    const caller = { method, headers, isUpgrade: false }
    if (path === '/sign-out' && method === 'POST') return this.#signOut(caller)
    if (method !== 'GET' && method !== 'HEAD') return refusalAnswer({ ...notFound(path), status: 405 }, headers.accept)
    if (path === '/sign-in') return this.#signIn(request, caller)
    if (isPlace(path)) return this.#answerPlace(caller)
    if (path === '/page.css')
      return { status: 200, headers: { 'Content-Type': 'text/css; charset=utf-8' }, body: style }
    const refusal = this.#parts.access.refuseOrigin(caller)
    if (refusal !== undefined) return refusalAnswer(refusal, headers.accept)
    return path === '/index.html' ? refusalAnswer(notFound(path), headers.accept) : this.#answerFile(caller, path)
  }

  #answerPlace(caller: Caller): Answer {
    const refusal = this.#parts.access.refuseStranger(caller)
    if (refusal === undefined) return this.#answerFile(caller, '/index.html')
    if (isForeignNavigation(caller)) return htmlAnswer(200, forwardingPage('Opening the dashboard', undefined))
    return refusalAnswer(refusal, caller.headers.accept)
  }

  #answerFile({ headers }: Caller, path: string): Answer {
    const file = this.#parts.assets.find(path, headers['accept-encoding']?.toString())
    return file === undefined ? refusalAnswer(notFound(path), headers.accept) : { status: 200, ...file }
  }

  /** Signs a browser in by the token of the URL, which no later URL has. */
  #signIn({ url = '/' }: IncomingMessage, caller: Caller): Answer {
    const { method, headers } = caller
    // A browser that guesses where the person goes must not use the token up; nor a program that only looks.
    if (method === 'HEAD' || headers['sec-purpose'] !== undefined)
      return refusalAnswer({ ...notFound('/sign-in'), status: 503 }, headers.accept)
    const { sessions, files, access } = this.#parts
    const query = new URL(url, 'http://localhost').searchParams
    const token = query.get('token') ?? ''
    const session = sessions.signIn(token)
    if (session !== undefined) files.remove(token)
    const place = query.get('to') ?? '/'
    const page = forwardingPage('Signed in', isPlace(place) ? place : '/')
    if (session !== undefined) return htmlAnswer(200, page, { 'Set-Cookie': sessionCookie(schemeOf(headers), session) })
    // A link that was used already still leads the browser that used it to the dashboard.
    if (access.refuseStranger(caller) === undefined) return htmlAnswer(200, page)
    if (isForeignNavigation(caller)) return htmlAnswer(200, forwardingPage('Signing in', undefined))
    return refusalAnswer({ error: usedLink() }, headers.accept)
  }

  #signOut(caller: Caller): Answer {
    const { access, sessions, requests } = this.#parts
    const refusal = access.refuseOrigin(caller) ?? access.refuseStranger(caller)
    if (refusal !== undefined) return refusalAnswer(refusal)
    const scheme = schemeOf(caller.headers)
    for (const session of sessionsIn(scheme, caller.headers.cookie)) sessions.signOut(session)
    // The other tabs' stream, too.
    requests.closeStrangers()
    return { status: 204, headers: { 'Set-Cookie': expiredCookie(scheme) }, body: '' }
  }
}

/** Returns whether a link on another site led here: the browser then keeps back the cookie, not so from our page. */
export function isForeignNavigation({ headers }: Pick<Caller, 'headers'>): boolean {
  const site = headers['sec-fetch-site']
  const isForeign = site === 'cross-site' || site === 'same-site'
  return isForeign && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}

function usedLink(): LocaldError {
  return new LocaldError('SIGN_IN_REQUIRED', 'this link was used already, or is older than a day', {
    hint: 'Run `locald dashboard`.',
  })
}
