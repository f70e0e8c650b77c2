import type { LocaldEvent, ServiceView } from '../../../../kernel/events.ts'
import { ApiError, lines } from '../api.ts'
import { notify, notifyError } from '../state/notices.ts'
import { setPending } from '../state/pending.ts'

/** An operation of the API on services. */
export interface Operation {
  /** Such as `/projects/restart`. */
  readonly route: string
  readonly body: object
  /** What is shown in place of the states meanwhile, such as `restarting`. */
  readonly word: string
  /** What is shown once it is done, such as `api restarted`. */
  readonly done: string
}

/** Runs an operation, and shows its word at once and its result. */
export async function operate(services: readonly ServiceView[], operation: Operation): Promise<void> {
  const [first] = services
  const settle = setPending(
    services.map(({ key }) => key),
    operation.word,
  )
  try {
    for await (const event of lines<LocaldEvent>(operation.route, operation.body)) {
      if (event.event === 'warning')
        notify({ kind: 'warning', text: event.message, hint: event.hint, service: event.key })
      if (event.event !== 'done') continue
      if (event.ok) notify({ kind: 'done', text: operation.done, service: first?.key })
      else
        throw new ApiError(
          event.error?.message ?? 'the operation failed',
          event.error?.code ?? 'INTERNAL',
          200,
          event.error?.hint,
        )
    }
  } catch (error) {
    notifyError(error, first?.key)
  } finally {
    settle()
  }
}
