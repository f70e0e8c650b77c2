import type { LocaldEvent, LogLine, ServiceView } from '../../kernel/events.ts'
import type { TargetBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, find, findOrRevive } from '../daemon/client.ts'
import { formatFor } from '../output/log-format.ts'
import { namerFor, stateOf } from '../output/service-words.ts'
import { painter, say } from '../output/terminal.ts'
import { type Interrupt, type Keys, listen } from './keys.ts'
import { Shown } from './log-tail.ts'
import { Notices } from './notices.ts'
import { conclude, follow } from './operation.ts'
import { Followed } from './services.ts'
import { Follower } from './stream.ts'

/** What is followed: what was started, when (UTC ISO 8601), and what runs of it. */
export interface Attached {
  readonly target: TargetBody
  readonly since: string
  readonly services: readonly ServiceView[]
  /** Hears Ctrl-C until the keys do. */
  readonly early: Interrupt
}

/**
 * Follows a project until `d` (services run on), Ctrl-C (they are stopped; twice: at once), or until nothing of it runs any more: its
 * logs, and what locald does with it. A daemon that is restarted or killed meanwhile makes no difference.
 */
export async function attach(context: Context, daemon: Client, what: Attached): Promise<number> {
  const keys = listen()
  what.early.close()
  if (what.early.isPressed) keys.stop()
  const attachment = await Attachment.of(context, what)
  try {
    say(keys.isKeyboard ? 'Ctrl-C stops the project, d detaches' : 'Ctrl-C stops the project')
    return await attachment.until(keys, daemon)
  } finally {
    keys.close()
    attachment.close()
  }
}

const doing = 'following the logs'

class Attachment {
  readonly #context: Context
  readonly #target: TargetBody
  readonly #shown: Shown
  readonly #services: Followed
  readonly #notices: Notices
  readonly #logs: Follower<LogLine>
  readonly #events: Follower<LocaldEvent>

  static async of(context: Context, what: Attached): Promise<Attachment> {
    const format = await formatFor(
      what.services.map(view => view.key),
      false,
    )
    const notices = new Notices(await painter(process.stderr), namerFor(context.words), what.services)
    return new Attachment(context, what, new Shown(format, what.since), notices)
  }

  private constructor(context: Context, { target, since, services }: Attached, shown: Shown, notices: Notices) {
    this.#context = context
    this.#target = target
    this.#shown = shown
    this.#notices = notices
    this.#services = new Followed(services, target, () => this.#logs.reopen())
    let isFirst = true
    const query = { path: target.path, service: target.services, follow: true, partial: true }
    this.#logs = new Follower(context.paths, {
      open: daemon => {
        const from = isFirst ? { since } : shown.again()
        isFirst = false
        return daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query: { ...query, ...from }, doing })
      },
      take: lines => shown.print(lines),
    })
    this.#events = new Follower(context.paths, {
      open: daemon => daemon.stream<LocaldEvent>({ method: 'GET', path: '/v1/events', doing }),
      take: events => this.#take(events),
    })
  }

  /** The exit code. */
  async until(keys: Keys, daemon: Client): Promise<number> {
    const printing = this.#logs.run(daemon)
    const watching = this.#events.run(daemon)
    const end = await Promise.race([keys.pressed, this.#services.ended, printing, watching])
    // From here on a stream that breaks is no news: what is awaited tells it.
    watching.catch(() => undefined)
    if (end === 'detach') {
      say('Detached: locald logs -f follows again, locald stop stops')
      return 0
    }
    this.#events.close()
    const code = end === 'stop' ? await this.#stop() : undefined
    this.#logs.close()
    await printing.catch(() => undefined)
    await this.#printRest()
    return code ?? this.#conclude()
  }

  close(): void {
    this.#services.close()
    this.#logs.close()
    this.#events.close()
  }

  #take(events: readonly LocaldEvent[]): boolean {
    for (const event of events) {
      if (this.#services.take(event)) for (const line of this.#notices.of(event)) say(line)
    }
    return true
  }

  async #printRest(): Promise<void> {
    // One that is ending is not to be followed by another just for this.
    const still = await find(this.#context.paths).catch(() => undefined)
    if (still !== undefined) await this.#shown.printRest(still, this.#services.keys, this.#target.path)
  }

  async #stop(): Promise<number> {
    say('Stopping; Ctrl-C again to leave at once')
    const daemon = await findOrRevive(this.#context.paths)
    if (daemon === undefined) return 0
    const body = this.#target
    const what = 'stopping the project'
    const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing: what })
    return conclude(this.#context, await follow(this.#context, stream, { doing: what }))
  }

  #conclude(): number {
    const services = this.#services.views
    if (services.some(view => stateOf(view) === 'failed'))
      return conclude(this.#context, { event: 'done', ok: false, services })
    say('Nothing of the project runs any more')
    return 0
  }
}
