import type { Engine, EngineCommand } from '../../../plugins/container/provides.ts'

/** Returns a podman of this machine whose commands are what `command` returns. */
export function engineOf(command: (args: readonly string[]) => EngineCommand): Engine {
  return {
    ...{ name: 'podman', dialect: 'podman', version: '4.3.1', hostName: undefined, isNative: true },
    command,
    shares: async () => true,
    hold: () => () => {},
  }
}

/** Returns a podman that is the CLI with these first words. */
export function fakeEngine(words: readonly [string, ...string[]]): Engine {
  return engineOf(args => ({ argv: [...words, ...args], env: {} }))
}
