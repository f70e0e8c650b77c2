import type { ExchangeView } from '../provides.ts'
import type { Entry } from './entry.ts'
import type { Inspector } from './inspector.ts'
import type { Recorder } from './recorder.ts'

/** Changes within this are one batch. ms */
const batchMs = 50

/** A reader of changes. */
export interface ChangeReader {
  readonly signal: AbortSignal
  /** Gets the present rows of what has changed, and where to resume after them. */
  take(position: string, rows: readonly ExchangeView[]): void
}

/**
 * Reports changes of exchanges until the signal aborts, in batches; bodies and frames are kept meanwhile. Resolves when
 * it aborts.
 */
export async function followChanges(recorder: Recorder, inspector: Inspector, reader: ChangeReader): Promise<void> {
  const { signal } = reader
  if (signal.aborted) return
  const release = recorder.watch()
  const changed = new Set<Entry>()
  let timer: NodeJS.Timeout | undefined
  const flush = async (): Promise<void> => {
    timer = undefined
    const entries = [...changed].sort((one, other) => one.seq - other.seq)
    changed.clear()
    const { position } = recorder
    const rows = await inspector.rows(entries)
    if (!signal.aborted) reader.take(position, rows)
  }
  const off = recorder.on(entry => {
    changed.add(entry)
    timer ??= setTimeout(() => void flush().catch(() => undefined), batchMs)
  })
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  clearTimeout(timer)
  off()
  release()
}
