import type { Instance } from '../../contract/plugin.ts'
import { unlessAborted, withResolvers } from '../../system/async.ts'
import type { Attempt, ProbeResult } from './probes.ts'

/** Notes whether an instance has sent READY=1 to its NOTIFY_SOCKET (sd_notify(3)), until closed. */
export class ReadyNotice {
  isReady = false
  readonly #off: (() => void) | undefined

  constructor(instance: Instance) {
    this.#off = instance.on?.(event => {
      if (event.event === 'notify' && event.ready) this.isReady = true
    })
  }

  close(): void {
    this.#off?.()
  }
}

/** Waits for READY=1. A STATUS= before it describes what the service does, and does not count as a probe. */
export async function waitForNotify(
  instance: Instance,
  signal: AbortSignal,
  tried: (attempt: Attempt) => void,
): Promise<ProbeResult | undefined> {
  if (instance.on === undefined) return { ok: true, detail: 'running' }
  const ready = withResolvers<ProbeResult>()
  const off = instance.on(event => {
    if (event.event !== 'notify') return
    if (event.ready) ready.resolve({ ok: true, detail: event.status ?? 'notified READY=1' })
    else if (event.status !== null && !signal.aborted) tried({ ok: false, detail: event.status, tries: 0 })
  })
  const result = await unlessAborted(ready.promise, signal)
  off()
  return result
}

/** Reports each READY=1 and STOPPING=1 of a ready service, until the signal aborts. */
export async function watchNotify(
  instance: Instance,
  signal: AbortSignal,
  changed: (healthy: boolean, attempt: Attempt) => void,
): Promise<void> {
  const off = instance.on?.(event => {
    if (event.event !== 'notify' || (!event.stopping && !event.ready)) return
    changed(event.ready, { ok: event.ready, detail: event.status ?? 'notified STOPPING=1', tries: 1 })
  })
  if (off === undefined) return
  if (signal.aborted) off()
  else signal.addEventListener('abort', off, { once: true })
}
