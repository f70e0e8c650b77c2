import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { OpenAnswer, WhyAnswer } from '../../kernel/protocol.ts'
import type { Client } from '../daemon/client.ts'
import { showUrl } from '../output/browser.ts'
import { formatChanges } from '../output/changes.ts'
import { isSettled, stateOf } from '../output/service-state.ts'
import type { Paint, Style } from '../output/terminal.ts'
import { formatWhy, selectRoots } from '../output/why-tree.ts'
import { parseSpans, type Span } from '../screen/spans.ts'
import type { Attempts } from './attempts.ts'
import type { Row } from './model/services.ts'

type Done = Extract<LocaldEvent, { event: 'done' }>

/** What is done with the selected service or project, with its result in the last line. */
export class Actions {
  readonly #attempts: Attempts

  constructor(attempts: Attempts) {
    this.#attempts = attempts
  }

  restart(row: Row): Promise<void> {
    return this.#attempts.run(`Restarting ${nameOf(row)}…`, async daemon => {
      await this.#operate(daemon, '/v1/projects/restart', row)
      return `Restarted ${nameOf(row)}`
    })
  }

  startOrStop(row: Row): Promise<void> {
    return viewsOf(row).every(isSettled) ? this.#start(row) : this.#stop(row)
  }

  open(row: Row): Promise<void> {
    return this.#attempts.run(undefined, async daemon => {
      const answer = await daemon.get<OpenAnswer>('/v1/services/open', targetOf(row))
      if (answer.argv === null) return `${answer.url} · ${answer.hint ?? 'press Y to copy it'}`
      await showUrl(answer)
      return `Opened ${answer.url}`
    })
  }

  /** Returns why a service, or each of a project, is in its state; undefined where that failed. */
  async explain(row: Row, paints: Readonly<Record<Style, string>>): Promise<readonly (readonly Span[])[] | undefined> {
    const paint: Paint = (style, text) => (paints[style] === '' ? text : `\x1b[${paints[style]}m${text}\x1b[m`)
    let lines: readonly (readonly Span[])[] | undefined
    await this.#attempts.run(undefined, async daemon => {
      const answers: WhyAnswer[] = []
      for (const { path, key } of viewsOf(row))
        answers.push(await daemon.get<WhyAnswer>('/v1/services/why', { path, service: key }))
      const printed = new Set<string>()
      const texts = selectRoots(answers).map(answer =>
        [formatWhy(answer, paint, printed), ...formatChanges(answer, { paint, cwd: answer.folder ?? '' })].join('\n'),
      )
      lines = texts.join('\n\n').split('\n').map(parseSpans)
      return undefined
    })
    return lines
  }

  #start(row: Row): Promise<void> {
    return this.#attempts.run(`Starting ${nameOf(row)}…`, async daemon => {
      await this.#operate(daemon, '/v1/projects/up', row)
      return `Started ${nameOf(row)}`
    })
  }

  #stop(row: Row): Promise<void> {
    return this.#attempts.run(`Stopping ${nameOf(row)}…`, async daemon => {
      const stopped = new Set<string>()
      await this.#operate(daemon, '/v1/projects/stop', row, event => {
        if (event.event === 'service' && event.service.status === 'stopping') stopped.add(event.service.name)
      })
      const own = nameOf(row)
      const names = stopped.size === 0 ? own : [...stopped].join(', ')
      return `Stopped ${names} · press s to start ${names === own ? 'it' : own}`
    })
  }

  /** Runs an operation to its end. Throws its error. */
  async #operate(daemon: Client, path: string, row: Row, seen: (event: LocaldEvent) => void = () => {}): Promise<void> {
    const { path: folder, service } = targetOf(row)
    const body = { path: folder, ...(service === undefined ? {} : { services: [service] }) }
    const stream = daemon.stream<LocaldEvent>({ method: 'POST', path, body, doing: 'waiting for the services' })
    for await (const events of stream.batches) {
      for (const event of events) {
        seen(event)
        if (event.event !== 'done') continue
        if (event.ok) return
        throw event.error === undefined ? failureOf(event) : LocaldError.fromJSON(event.error)
      }
    }
    throw new LocaldError('DAEMON_UNREACHABLE', 'lost connection to the daemon')
  }
}

/** Returns the services of a row. */
export function viewsOf(row: Row): readonly ServiceView[] {
  return row.kind === 'service' ? [row.view] : row.services
}

/** Returns the name of a row. */
export function nameOf(row: Row): string {
  return row.kind === 'service' ? row.view.name : row.name
}

function targetOf(row: Row): { readonly path: string; readonly service?: string } {
  return row.kind === 'service' ? { path: row.view.path, service: row.view.key } : { path: row.id }
}

function failureOf({ services }: Done): LocaldError {
  const failed = services.filter(view => ['failed', 'unhealthy'].includes(stateOf(view))).map(view => view.name)
  const names = failed.length === 0 ? 'some services are not ready' : `${failed.join(', ')} failed`
  return new LocaldError('SERVICE_FAILED', names, { hint: 'See why with w.' })
}
