import { LocaldError } from '../errors.ts'
import type { Dependency } from './start-plan.ts'
import type { ServiceState } from './state.ts'

/**
 * Resolves when all dependencies are met; the state shows those that are not. While one cannot be met, the service
 * counts as failed because of it (`failed` is called), and waits for that to change.
 */
export async function awaitDependencies(
  dependencies: readonly Dependency[],
  state: ServiceState,
  failed: (error: LocaldError) => void,
  signal: AbortSignal,
): Promise<void> {
  // Each service of an `up` shows that it waits before the first dependency is looked at.
  await null
  for (;;) {
    const attempt = new AbortController()
    try {
      return await waitForAll(dependencies, state, AbortSignal.any([signal, attempt.signal]))
    } catch (error) {
      if (signal.aborted || !LocaldError.is(error)) throw error
      failed(error)
    } finally {
      attempt.abort()
    }
    for (const { state, condition } of dependencies) await state.until(() => state.mayMeet(condition), signal)
  }
}

async function waitForAll(
  dependencies: readonly Dependency[],
  state: ServiceState,
  signal: AbortSignal,
): Promise<void> {
  const open = new Set(dependencies)
  const show = () => {
    const names = [...open].map(({ name, condition }) => (condition === 'ready' ? name : `${name} (${condition})`))
    if (names.length > 0) state.set({ status: 'waiting', reason: `waiting for ${names.join(', ')}` })
  }
  const waits = dependencies.map(async dependency => {
    await dependency.state.until(() => dependency.state.meets(dependency.condition, dependency.name), signal)
    open.delete(dependency)
    if (!signal.aborted) show()
  })
  show()
  await Promise.all(waits)
}
