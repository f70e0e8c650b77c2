import type { Plugin } from '../../kernel/contract/plugin.ts'
import type { Web } from '../proxy/provides.ts'
import { LeakDetector } from './detector.ts'
import { Findings } from './findings.ts'
import { tableName, worktreesTable } from './table.ts'

const name = 'worktree-leaks'

const unseen = {
  reason: 'the system does not show connections cheaply',
  hint: 'Use the names of services, or variables, whose use is found here, too.',
}

/** Reports a service, or a page of it, that uses a service of another worktree of the same repository. */
const plugin: Plugin = {
  name,
  api: 1,
  after: ['platform-linux', 'platform-darwin', 'proxy'],
  setup(host) {
    host.table({ name: tableName, shape: worktreesTable })
    host.feature(`${name}:connections`, {
      title: 'Connections between worktrees',
      ...(host.platform.os === 'linux' ? { on: true } : { on: false, ...unseen }),
    })
    let detector: LeakDetector | undefined
    host.hooks.booted.tap(name, () => {
      const web: Web | undefined = host.optional('web')
      detector = new LeakDetector({
        worktrees: host.use.worktrees,
        catalog: host.use.catalog,
        findings: new Findings({
          worktrees: host.use.worktrees,
          control: () => host.use.control,
          ...{ plugin: name, log: host.log },
        }),
        traffic: host.optional('traffic'),
        proxyPorts: () => [web?.http, web?.https].flatMap(port => port ?? []),
        connections: host.optional('processTable')?.watchConnections?.(),
        log: host.log,
      })
    })
    host.onClose(() => detector?.close())
  },
}

export default plugin
