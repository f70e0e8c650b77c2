import type { Engine } from '../../../plugins/container/provides.ts'

/** An engine that is only named. */
export const fakeEngine: Engine = {
  ...{ name: 'podman', dialect: 'podman', version: '4.3.1', hostName: undefined, isNative: true },
  command: args => ({ argv: ['podman', ...args], env: {} }),
  shares: async () => true,
  hold: () => () => {},
}
