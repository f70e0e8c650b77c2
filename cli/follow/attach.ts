import type { LocaldEvent, LogLine, ServiceView } from '../../kernel/events.ts'
import type { TargetBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon, findOrReviveDaemon } from '../daemon/client.ts'
import { formatFor } from '../output/log-format.ts'
import { toSafeJson } from '../output/sanitize.ts'
import { namerFor, stateOf } from '../output/service-state.ts'
import { painter, printStderr } from '../output/terminal.ts'
import { Gate } from './gate.ts'
import { KeyActions } from './key-actions.ts'
import { type Interrupt, type Keys, listenForKeys } from './keys.ts'
import { LogTail } from './log-tail.ts'
import { Notices } from './notices.ts'
import { followOperation, reportOutcome } from './operation.ts'
import { FollowedServices } from './services.ts'
import { StreamFollower } from './stream.ts'

/** What to follow: what was started, when (UTC ISO 8601), and its services. */
export interface AttachTarget {
  readonly target: TargetBody
  readonly since: string
  readonly services: readonly ServiceView[]
  /** Whether it stops with this process, so that there is no way to detach from it. */
  readonly isScratch?: boolean
  /** Handles Ctrl-C until the keys are read. */
  readonly early: Interrupt
  /** Shows the terminal of a service until it is left. */
  openTerminal(daemon: Client, view: ServiceView): Promise<unknown>
}

/**
 * Follows a project until `d` (services keep running), Ctrl-C (they are stopped; twice: at once), or until all its
 * services have stopped: prints its logs, and what locald does with it. Continues when the daemon is restarted or
 * killed meanwhile.
 */
export async function attach(context: Context, daemon: Client, what: AttachTarget): Promise<number> {
  const attachment = Attachment.of(context, what)
  const canDetach = what.isScratch !== true
  const keys: Keys = listenForKeys({ canDetach, onKey: name => attachment.actions.press(name, keys) })
  what.early.close()
  if (what.early.isPressed) keys.stop()
  try {
    const more = keys.isKeyboard ? `${canDetach ? ', d to detach' : ''}, ? for more keys` : ''
    if (!context.json) printStderr(`Press Ctrl-C to stop${canDetach ? ' the project' : ''}${more}`)
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
  readonly #tail: LogTail
  readonly #services: FollowedServices
  readonly #notices: Notices
  readonly #logs: StreamFollower<LogLine>
  readonly #events: StreamFollower<LocaldEvent>
  readonly #gate = new Gate()
  readonly actions: KeyActions

  static of(context: Context, what: AttachTarget): Attachment {
    const keys = what.services.map(view => view.key)
    const format = context.json ? { text: toSafeJson } : formatFor(keys, false)
    const notices = new Notices(painter(process.stderr), namerFor(context.args), what.services)
    return new Attachment(context, what, new LogTail(format, what.since), notices)
  }

  private constructor(context: Context, what: AttachTarget, tail: LogTail, notices: Notices) {
    const { target, since, services } = what
    this.#context = context
    this.#target = target
    this.#tail = tail
    this.#notices = notices
    this.#services = new FollowedServices(services, target, () => this.#logs.reopen())
    let isFirst = true
    const query = { path: target.path, service: target.services, follow: true, partial: !context.json }
    this.#logs = new StreamFollower(context.paths, {
      open: daemon => {
        const from = isFirst ? { since } : tail.resumeQuery()
        isFirst = false
        return daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query: { ...query, ...from }, doing })
      },
      take: async lines => {
        await this.#gate.pass()
        return await tail.print(lines)
      },
    })
    this.#events = new StreamFollower(context.paths, {
      open: daemon => daemon.stream<LocaldEvent>({ method: 'GET', path: '/v1/events', doing }),
      take: events => this.#take(events),
    })
    this.actions = new KeyActions({
      ...{ context, target, services: this.#services, gate: this.#gate, openTerminal: what.openTerminal },
      canDetach: what.isScratch !== true,
      say: text => printLines(notices.lines(text)),
      showOnly(key) {
        tail.only = key
      },
    })
  }

  /** Follows until a key, the last service stops, or a stream fails; the result is the exit code. */
  async until(keys: Keys, daemon: Client): Promise<number> {
    const printing = this.#logs.run(daemon)
    const watching = this.#events.run(daemon)
    const end = await Promise.race([keys.pressed, this.#services.allStopped, printing, watching])
    this.#gate.open()
    // From here on a broken stream needs no report: the promise that is awaited has it.
    watching.catch(() => undefined)
    if (end === 'detach') {
      printStderr('Detached. Run `locald logs -f` to follow again, `locald stop` to stop.')
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
    this.actions.close()
    this.#services.close()
    this.#logs.close()
    this.#events.close()
  }

  #take(events: readonly LocaldEvent[]): boolean {
    for (const event of events) {
      if (this.#services.apply(event)) printLines(this.#notices.format(event))
    }
    return true
  }

  async #printRest(): Promise<void> {
    // A daemon that is stopping is not replaced just for this.
    const still = await findDaemon(this.#context.paths).catch(() => undefined)
    if (still !== undefined) await this.#tail.printRest(still, this.#services.keys, this.#target.path)
  }

  async #stop(): Promise<number> {
    if (!this.#context.json) printStderr('Stopping… (press Ctrl-C again to quit immediately)')
    const daemon = await findOrReviveDaemon(this.#context.paths)
    if (daemon === undefined) return 0
    const body = this.#target
    const what = 'stopping the project'
    const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing: what })
    return reportOutcome(this.#context, await followOperation(this.#context, stream, { doing: what }))
  }

  #conclude(): number {
    const services = this.#services.views
    if (services.some(view => stateOf(view) === 'failed'))
      return reportOutcome(this.#context, { event: 'done', ok: false, services })
    printStderr('All services have stopped')
    return 0
  }
}

function printLines(lines: readonly string[]): void {
  for (const line of lines) printStderr(line)
}
