import type { Dialect, Engine } from '../../../../plugins/container/provides.ts'

/** An engine that is the CLI with these first words, in this environment. */
export function fakeEngine(words: readonly [string, ...string[]], dialect: Dialect = 'podman'): Engine {
  return {
    ...{ name: dialect, dialect, version: '4.3.1', hostName: undefined, isNative: true },
    command: args => ({ argv: [...words, ...args], env: {} }),
    shares: async () => true,
    hold: () => () => {},
  }
}
