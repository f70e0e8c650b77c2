import type { GraphService } from '../../../../../kernel/protocol.ts'

/** A service in the critical path: its share of the whole time, ms. */
export interface PathStep {
  readonly key: string
  readonly ms: number
}

/** What the last start took the longest for. */
export interface CriticalPath {
  /** In the order of the start. */
  readonly steps: readonly PathStep[]
  /** From the first service's begin until the last one was ready: ms. */
  readonly totalMs: number
}

/** The times of one start, ms: how long it waited for others, and from the creation of its process until it was ready. */
export interface StartSpans {
  readonly waitedMs: number | undefined
  readonly readyMs: number | undefined
}

interface Timed {
  readonly key: string
  readonly dependsOn: readonly string[]
  readonly began: number
  readonly ready: number
}

/** Returns the spans of a start. */
export function spansOf({ start }: GraphService): StartSpans {
  const [began, started, ready] = [start?.beganAt, start?.startedAt, start?.readyAt].map(parse)
  return { waitedMs: difference(began, started), readyMs: difference(started, ready) }
}

/**
 * Finds the critical path of the last start: from the service that was ready last, each time back to the dependency for
 * which it waited the longest. Undefined where nothing has been started.
 */
export function criticalPath(services: readonly GraphService[]): CriticalPath | undefined {
  const timed = new Map(services.flatMap(service => timesOf(service) ?? []).map(service => [service.key, service]))
  let last = [...timed.values()].reduce<Timed | undefined>(
    (a, b) => (a === undefined || b.ready > a.ready ? b : a),
    undefined,
  )
  if (last === undefined) return undefined
  const end = last.ready
  const steps: PathStep[] = []
  let from = end
  while (last !== undefined) {
    const { key, began, ready, dependsOn }: Timed = last
    const before: Timed | undefined = dependsOn
      .flatMap(other => timed.get(other) ?? [])
      // One that was ready before is nothing it has waited for.
      .filter(other => other.ready >= began && other.ready <= ready && !steps.some(step => step.key === other.key))
      .reduce<Timed | undefined>((a, b) => (a === undefined || b.ready > a.ready ? b : a), undefined)
    from = before?.ready ?? began
    steps.unshift({ key, ms: ready - from })
    last = before
  }
  return { steps, totalMs: end - from }
}

function timesOf({ key, dependsOn, start }: GraphService): Timed | undefined {
  const [began, ready] = [parse(start?.beganAt), parse(start?.readyAt)]
  return began === undefined || ready === undefined ? undefined : { key, dependsOn, began, ready }
}

function parse(time: string | null | undefined): number | undefined {
  return time === null || time === undefined ? undefined : Date.parse(time)
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from
}
