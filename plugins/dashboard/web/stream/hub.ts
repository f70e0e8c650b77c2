import { Connection, type Wanted } from './connection.ts'
import { type Memory, Ring, StateMemory, UsageMemory } from './memory.ts'
import type { FromHub, Link, Problem, Subscription, ToHub } from './messages.ts'

/** A tab's end of its channel. */
export interface Tab {
  send(message: FromHub): void
}

/** How many values of a topic the hub keeps for tabs that come later. */
const kept: Readonly<Record<string, number>> = { logs: 10_000, requests: 1000 }
const usuallyKept = 200
/** How many samples of the usage it keeps. */
const usageKept = 60
/** Changes of what is followed are gathered for this long, ms. */
const gatherMs = 30
/** A topic is followed for this long after the last tab has left it, ms: the user may come back to the screen. */
const lingerMs = 5000

interface Follower extends Subscription {
  readonly tab: Tab
  readonly id: number
}

/** Shares one connection between tabs: it asks for what they follow together, and gives each its part. */
export class Hub {
  readonly #followers = new Set<Follower>()
  readonly #tabs = new Set<Tab>()
  readonly #memories = new Map<string, Memory>()
  readonly #problems = new Map<string, Problem>()
  readonly #connection: Connection
  #link: Link = { state: 'connecting' }
  #asked = ''
  /** What each page follows: asked for before the first page says so. */
  #assumed: readonly string[] = ['events']
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.#connection = new Connection({
      values: (topic, values) => this.#values(topic, values),
      link: link => this.#changeLink(link),
      problem: problem => this.#report(problem),
    })
    this.#connect()
  }

  /** Accepts what a tab says. */
  accept(tab: Tab, message: ToHub): void {
    if (!this.#tabs.has(tab) && message.type !== 'bye') {
      this.#tabs.add(tab)
      if (this.#link.state === 'refused') this.#tryAgain()
      tab.send({ type: 'link', link: this.#link })
    }
    if (message.type === 'follow') this.#follow(tab, message)
    else if (message.type === 'unfollow') this.#remove(follower => follower.tab === tab && follower.id === message.id)
    else if (message.type === 'retry') this.#connection.retry()
    else {
      this.#tabs.delete(tab)
      this.#remove(follower => follower.tab === tab)
    }
  }

  /** A page that has just been loaded has a session. */
  #tryAgain(): void {
    this.#changeLink({ state: 'connecting' })
    this.#connection.retry()
  }

  #follow(tab: Tab, { id, topic, services, tail }: Extract<ToHub, { type: 'follow' }>): void {
    const follower = { tab, id, topic, services, tail }
    const past = this.#memories.get(topic)?.past() ?? []
    this.#followers.add(follower)
    this.#assumed = []
    if (past.length > 0) give(follower, past, tail)
    const problem = this.#problems.get(topic)
    if (problem !== undefined) tab.send({ type: 'problem', problem })
    this.#plan(gatherMs)
  }

  #remove(matches: (follower: Follower) => boolean): void {
    for (const follower of this.#followers) if (matches(follower)) this.#followers.delete(follower)
    this.#plan(this.#tabs.size === 0 ? 0 : lingerMs)
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#connect(), ms)
  }

  /** Connects where the tabs follow something else than the connection does. */
  #connect(): void {
    const wanted = this.#union()
    const asked = JSON.stringify(wanted)
    if (asked === this.#asked) return
    this.#asked = asked
    for (const topic of this.#memories.keys()) if (!wanted.topics.includes(topic)) this.#memories.delete(topic)
    this.#connection.want(wanted.topics.length === 0 ? undefined : wanted)
  }

  #union(): Wanted {
    const followed = [...this.#followers].map(({ topic }) => topic)
    return { topics: [...new Set([...followed, ...this.#assumed])].sort() }
  }

  #values(topic: string, values: readonly unknown[]): void {
    this.#problems.delete(topic)
    const memory = this.#memories.get(topic) ?? memoryFor(topic)
    this.#memories.set(topic, memory)
    memory.add(values)
    for (const follower of this.#followers) if (follower.topic === topic) give(follower, values)
  }

  #report(problem: Problem): void {
    this.#problems.set(problem.topic, problem)
    for (const tab of this.#tabs) tab.send({ type: 'problem', problem })
  }

  #changeLink(link: Link): void {
    const isSame = JSON.stringify(link) === JSON.stringify(this.#link)
    this.#link = link
    if (!isSame) for (const tab of this.#tabs) tab.send({ type: 'link', link })
  }
}

function memoryFor(topic: string): Memory {
  if (topic === 'events') return new StateMemory()
  return topic === 'usage' ? new UsageMemory(usageKept) : new Ring(kept[topic] ?? usuallyKept)
}

/** Sends a follower those of the values that it wants. */
function give({ tab, id, services }: Follower, values: readonly unknown[], tail = Number.POSITIVE_INFINITY): void {
  const found = services.length === 0 ? values : values.filter(value => isOf(value, services))
  const own = tail === 0 ? [] : found.slice(-tail)
  if (own.length > 0) tab.send({ type: 'values', id, values: own })
}

function isOf(value: unknown, services: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null || !('service' in value)) return true
  return typeof value.service !== 'string' || services.includes(value.service)
}
