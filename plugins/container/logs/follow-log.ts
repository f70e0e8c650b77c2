import { ClientLog } from './client-log.ts'
import { FileLog } from './file-log.ts'
import type { FollowedContainer, LogFollower } from './follower.ts'

/** Starts to copy a container's output to its service's log: every line once, with the engine's times. */
export function followLog(container: FollowedContainer): LogFollower {
  const { file, signal } = container
  const follower = file === undefined ? new ClientLog(container) : new FileLog({ ...container, file })
  const close = () => {
    signal.removeEventListener('abort', close)
    follower.close()
  }
  if (signal.aborted) close()
  else signal.addEventListener('abort', close)
  return { drained: () => follower.drained(), close }
}
