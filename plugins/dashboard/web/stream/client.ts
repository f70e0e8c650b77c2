/**
 * A tab's way to the daemon's stream. `follow('logs', {services: ['shop:web'], onValues})` calls `onValues` with batches
 * of the topic until the function that it returned is called: first with what is known already, then with what comes.
 * Batches that the daemon sent twice or never do not exist: the hub resumes where its last connection stopped.
 */
import { signal } from '@preact/signals'
import { Hub, type Tab } from './hub.ts'
import type { FromHub, Link, Problem, ToHub } from './messages.ts'
import { startWorker } from './start-worker.ts'

/** How the connection is; the shell shows it. */
export const link = signal<Link>({ state: 'connecting' })

/** Why the daemon does not send a topic, by its name. */
export const problems = signal<ReadonlyMap<string, Problem>>(new Map())

/** What a screen follows. */
export interface FollowOptions {
  /** Keys of services; none: all. */
  readonly services?: readonly string[]
  /** How many past values it wants at most at first; undefined: all that are known, up to 10,000 lines. */
  readonly tail?: number
  /** Receives a batch; the values are as the topic's documentation says. */
  onValues(values: readonly unknown[]): void
}

const followers = new Map<number, FollowOptions & { readonly topic: string }>()
let lastId = 0

const channel = openChannel(message => {
  if (message.type === 'link') link.value = message.link
  else if (message.type === 'problem')
    problems.value = new Map([...problems.value, [message.problem.topic, message.problem]])
  else followers.get(message.id)?.onValues(message.values)
})

/** Follows a topic until the result is called. */
export function follow(topic: string, options: FollowOptions): () => void {
  lastId += 1
  const id = lastId
  followers.set(id, { ...options, topic })
  send(id)
  return () => {
    followers.delete(id)
    channel({ type: 'unfollow', id })
  }
}

/** Connects now. */
export function retry(): void {
  channel({ type: 'retry' })
}

function send(id: number): void {
  const follower = followers.get(id)
  if (follower === undefined) return
  const { topic, services = [], tail } = follower
  channel({ type: 'follow', id, topic, services, tail })
}

// The browser may keep a page that the user left, and show it again without loading it.
addEventListener('pagehide', () => channel({ type: 'bye' }))
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) for (const id of followers.keys()) send(id)
})

// While a page is hidden, or the machine sleeps, the browser may delay the next try for long.
for (const [target, name] of [[document, 'visibilitychange'] as const, [globalThis, 'online'] as const])
  target.addEventListener(name, () => {
    const { state } = link.peek()
    if (document.visibilityState === 'visible' && (state === 'lost' || state === 'refused')) retry()
  })

/** Opens a channel to the hub of the shared worker, or of this tab where the browser has no such workers. */
function openChannel(receive: (message: FromHub) => void): (message: ToHub) => void {
  const worker = startWorker()
  if (worker === undefined) {
    const hub = new Hub()
    const tab: Tab = { send: receive }
    return message => hub.accept(tab, message)
  }
  const { port } = worker
  port.addEventListener('message', ({ data }: MessageEvent<FromHub>) => receive(data))
  port.start()
  holdLock(name => port.postMessage({ lock: name }))
  return message => port.postMessage(message)
}

/** Holds a lock for as long as the tab is there: the worker sees by it that the tab is closed. */
function holdLock(announce: (name: string) => void): void {
  if (!isSecureContext) return
  const name = `tab-${Math.random().toString(36).slice(2)}`
  void navigator.locks.request(name, () => {
    announce(name)
    return new Promise<never>(() => undefined)
  })
}
