import type { FollowedContainer, LogFollower } from './follower.ts'

export function followLog(_: FollowedContainer): LogFollower {
  return { drained: async () => {}, close: () => {} }
}
