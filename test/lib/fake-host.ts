import type { Host, Services } from '../../kernel/contract/plugin.ts'
import { makeHooks } from '../../kernel/plugins/hooks.ts'

/**
 * Makes a host for the `setup` of a plugin under test. Declarations that a test does not give are accepted and dropped.
 */
export function fakeHost(given: Partial<Host>): Host {
  const use: Services = given.use ?? Object.create(null)
  const ignore = () => {}
  return {
    options: {},
    platform: { os: process.platform, release: 0, arch: process.arch, uid: 0 },
    folders: { data: '/d', config: '/c', runtime: '/r', sockets: '/r', native: '/n' },
    hooks: makeHooks(ignore),
    log: { info: ignore, warn: ignore, error: ignore },
    service: ignore,
    source: ignore,
    feature: ignore,
    has: () => false,
    check: ignore,
    command: ignore,
    table: ignore,
    topic: ignore,
    variable: ignore,
    urls: () => ignore,
    shares: () => ignore,
    reserve: ignore,
    port: ignore,
    opener: ignore,
    warnings: ignore,
    report: ignore,
    disk: ignore,
    status: ignore,
    routes: ignore,
    provide: ignore,
    use,
    optional: name => Reflect.get(use, name),
    onClose: ignore,
    ...given,
  }
}
