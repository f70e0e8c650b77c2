import type { FollowedContainer, LogFollower } from './follower.ts'

/** Follows a container's output by the engine's client. */
export class ClientLog implements LogFollower {
  readonly container: FollowedContainer

  constructor(container: FollowedContainer) {
    this.container = container
  }

  async drained(): Promise<void> {}

  close(): void {}
}
