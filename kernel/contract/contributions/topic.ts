/** A topic of `GET /v1/stream`, by which pages follow what changes. */
export interface Topic {
  /** Lower-case letters, digits and dashes: `requests`. One plugin only for each name. */
  readonly name: string
  /** Starts sending to one client, until its signal aborts. What it throws is sent to the client as a problem. */
  open(client: TopicClient): void | Promise<void>
}

/** One client of a topic. */
export interface TopicClient {
  /** Keys of the services that the client asked for; empty: all. */
  readonly services: readonly string[]
  /** How many past values the client wants at first; undefined: the topic's own choice. */
  readonly tail: number | undefined
  /** Position of the last value that the client has, as given to `push`; undefined: it has none. */
  readonly after: string | undefined
  readonly signal: AbortSignal
  /**
   * Sends values (JSON) without waiting; a client that does not read them is disconnected. `position` is where the
   * client resumes after them, also where there are none; empty: the topic does not resume.
   */
  push(position: string, values: readonly unknown[]): void
  /** Sends values as `push`, and waits until the client has read enough. */
  send(position: string, values: readonly unknown[]): Promise<void>
}
