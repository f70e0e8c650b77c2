import { userInfo } from 'node:os'
import type { Host, Plugin } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { nameChecks } from './checks.ts'
import { HostsBlock } from './hosts-block.ts'
import { folderOf, SharedNames } from './shared-names.ts'

/** Cleaners of temporary folders go by days: ms. */
const hourMs = 3_600_000

/** Names of services in the hosts file, for programs that do not resolve names below localhost. */
const plugin: Plugin = {
  name: 'hosts',
  api: 1,
  after: ['privileges'],
  needs: ['privileges', 'processTable'],
  setup(host) {
    let block: HostsBlock | undefined
    let stop: (() => void) | undefined
    host.hooks.booted.tapPromise('hosts', async () => {
      if (!host.has('hosts-file')) return
      const made = blockOf(host)
      block = made
      const upkeep = setInterval(() => made.refresh(), hourMs).unref()
      const off = host.use.catalog.on(({ event }) => {
        if (event === 'service' || event === 'removed') made.scheduleSync()
      })
      stop = () => {
        clearInterval(upkeep)
        off()
      }
      made.scheduleSync()
    })
    // A ready service has a URL that works.
    host.hooks.ready.tapPromise('hosts', async ({ key }) => {
      const hosts = host.use.catalog.services().find(it => it.key === key)?.hosts
      if (hosts !== undefined) await block?.waitUntilResolved(hosts)
    })
    // While the helper still works: services that stop with the daemon lose their names.
    host.hooks.closing.tapPromise('hosts', async () => {
      stop?.()
      await block?.sync(false).catch(error => host.log.warn(messageOf(error)))
    })
    for (const check of nameChecks(host.platform.os, () => block)) host.check(check)
    host.command({
      name: 'sync-hosts',
      description: 'Rewrite the hosts file entries',
      async run() {
        block ??= blockOf(host)
        await block.sync(true)
        return { exitCode: 0, text: 'The hosts file has the names that need it\n' }
      },
    })
  },
}

export default plugin

function blockOf({ use, platform, folders, log }: Host): HostsBlock {
  const shared = new SharedNames(platform.uid, folders.data, () => use.processTable, folderOf(platform, homeOf()))
  return new HostsBlock({ uid: platform.uid, catalog: use.catalog, privileges: use.privileges, shared, log })
}

/** Returns the home folder; undefined for a user without an entry in the password file, as in some containers. */
function homeOf(): string | undefined {
  try {
    return userInfo().homedir
  } catch {
    return undefined
  }
}
