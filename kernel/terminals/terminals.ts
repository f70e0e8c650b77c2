import type { Memory } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Service } from '../services/service.ts'
import { TerminalSession } from './session.ts'
import { sourceOf } from './source.ts'
import type { Viewer } from './viewer.ts'

/** Clients of all terminals together. */
const clientLimit = 64
/** A terminal that its last client has left stays for so long, in case of a reload of the page: ms. */
const lingerMs = 10_000

/** A client's place at a terminal, until it leaves. */
export interface Joined {
  readonly session: TerminalSession
  leave(): void
}

/** The terminals at which clients look. */
export class Terminals {
  readonly #sessions = new Map<Service, TerminalSession>()
  readonly #memory: Memory
  readonly #failed: (error: unknown) => void
  #clients = 0

  /** @param failed reports an error that is not expected */
  constructor(memory: Memory, failed: (error: unknown) => void) {
    this.#memory = memory
    this.#failed = failed
  }

  /** Throws DAEMON_BUSY when there are as many clients as may be. */
  requireRoom(): void {
    if (this.#clients < clientLimit) return
    throw new LocaldError('DAEMON_BUSY', `too many open terminals (limit ${clientLimit})`, {
      hint: 'Close some of them, in all windows of the browser.',
    })
  }

  /** Adds a client to the terminal of a service. */
  join(service: Service, viewer: Viewer): Joined {
    const session = this.#sessions.get(service) ?? new TerminalSession(sourceOf(service), this.#failed)
    this.#sessions.set(service, session)
    const { leave } = this.enter(session, viewer)
    service.viewers += 1
    return {
      session,
      leave: () => {
        service.viewers -= 1
        leave()
        if (!session.isWatched) setTimeout(() => this.#closeUnlessWatched(service, session), lingerMs).unref()
      },
    }
  }

  /** Adds a client to a session that lasts without clients. */
  enter(session: TerminalSession, viewer: Viewer): Joined {
    this.#clients += 1
    session.join(viewer)
    return {
      session,
      leave: () => {
        this.#clients -= 1
        session.leave(viewer)
      },
    }
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close()
    this.#sessions.clear()
  }

  #closeUnlessWatched(service: Service, session: TerminalSession): void {
    if (session.isWatched || this.#sessions.get(service) !== session) return
    this.#sessions.delete(service)
    session.close()
    if (this.#sessions.size === 0) this.#memory.rest('garbage')
  }
}
