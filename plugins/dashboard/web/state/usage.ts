/** CPU and memory of services and of the daemon, by the topic `usage`: its last value, and the last minutes of it. */
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { follow } from '../stream/client.ts'

/** `cpu`: percent of one core; `memory`: bytes. */
export interface Usage {
  readonly cpu: number | null
  readonly memory: number | null
}

/** A value of the topic `usage`: services whose usage has changed. */
interface UsageBatch {
  readonly services: readonly ({ readonly key: string } & Usage)[]
  readonly daemon: Usage
}

/** How many values of each service are kept for sparklines. */
const samples = 40

const own = new Map<string, Signal<readonly Usage[]>>()

/** Of the daemon. */
export const daemonUsage = signal<Usage | undefined>(undefined)

/** Returns the last values of a service, oldest first. */
export function usageOf(key: string): ReadonlySignal<readonly Usage[]> {
  return ownOf(key)
}

/** Follows the usage while the page is visible: the daemon measures only while someone looks. */
export function startUsage(): void {
  let stop: (() => void) | undefined
  const update = () => {
    if (document.hidden) {
      stop?.()
      stop = undefined
    } else stop ??= follow('usage', { onValues: values => batch(() => values.forEach(applyValue)) })
  }
  document.addEventListener('visibilitychange', update)
  update()
}

function applyValue(value: unknown): void {
  if (isUsageBatch(value)) apply(value)
}

function apply({ services, daemon }: UsageBatch): void {
  daemonUsage.value = daemon
  const changed = new Map(services.map(({ key, cpu, memory }) => [key, { cpu, memory }]))
  for (const key of changed.keys()) ownOf(key)
  for (const [key, history] of own) {
    const last = changed.get(key) ?? history.value.at(-1)
    if (last !== undefined) history.value = [...history.value.slice(1 - samples), last]
  }
}

function ownOf(key: string): Signal<readonly Usage[]> {
  const known = own.get(key)
  if (known !== undefined) return known
  const history = signal<readonly Usage[]>([])
  own.set(key, history)
  return history
}

function isUsageBatch(value: unknown): value is UsageBatch {
  return typeof value === 'object' && value !== null && 'services' in value && 'daemon' in value
}
