import { join } from 'node:path'
import type { Test } from 'tap'
import type { Catalog, CatalogEntry, Status } from '../../../kernel/contract/plugin.ts'
import { HostsBlock } from '../../../plugins/hosts/hosts-block.ts'
import { SharedNames } from '../../../plugins/hosts/shared-names.ts'
import type { Privileges } from '../../../plugins/privileges/provides.ts'
import { hostTable } from '../../lib/machine.ts'

export const uid = process.getuid?.() ?? 0

export function entry(status: Status, ...hosts: readonly string[]): CatalogEntry {
  return {
    ...{ key: `p:${hosts[0]}`, project: 'p', name: 'web', path: '/p', type: 'exec', status, health: null, port: 1 },
    ...{ url: null, pid: null, startedAt: null, restarts: 0, cpu: null, memory: null, reason: null },
    ...{ hosts, upstream: null },
  }
}

/** The helper's part: what the block has, and whether it works. */
export class FakePrivileges implements Privileges {
  readonly writes: (readonly string[])[] = []
  failure: Error | undefined
  /** Called while a write is under way. */
  meanwhile: () => unknown = () => {}

  async hosts(names: readonly string[]): Promise<void> {
    await this.meanwhile()
    if (this.failure !== undefined) throw this.failure
    this.writes.push(names)
  }

  listen = () => Promise.reject(new Error('not here'))
  delegateCgroup = () => Promise.reject(new Error('not here'))
  trust = () => Promise.reject(new Error('not here'))
  untrust = () => Promise.reject(new Error('not here'))
}

export function catalogOf(services: readonly CatalogEntry[]): Catalog {
  return {
    isKnown: () => false,
    services: () => services,
    projects: () => [],
    get: () => undefined,
    settled: () => Promise.reject(new Error('not here')),
    arriving: () => undefined,
    hasStandIn: async () => false,
    startLimit: () => 0,
    examine: async () => undefined,
    secrets: async () => [],
    tail: async () => [],
    on: () => () => {},
  }
}

/** A block whose services are `services`, in a folder of the test's own. */
export function blockOf(t: Test, hostsText = '', find?: (name: string) => Promise<readonly string[]>) {
  const dir = t.testdir({ hosts: hostsText })
  const services: CatalogEntry[] = []
  const privileges = new FakePrivileges()
  const warnings: string[] = []
  const shared = new SharedNames(uid, '/data/one', hostTable, join(dir, 'names'))
  const nothing = () => {}
  const block = new HostsBlock({
    ...{ uid, privileges, shared, hostsFile: join(dir, 'hosts') },
    ...(find === undefined ? {} : { find }),
    catalog: catalogOf(services),
    log: { info: nothing, error: nothing, warn: text => warnings.push(text) },
  })
  return { block, services, privileges, warnings, dir }
}
