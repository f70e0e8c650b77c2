import { type Plugin, setDenials } from '../../kernel/contract/plugin.ts'
import { featureCheck, platformFeatures } from '../lib/features.ts'
import { agentCheck } from './agent.ts'
import { bootPlan } from './boot.ts'
import { machineChecks, titles } from './checks.ts'
import { Tools, toolPath } from './commands.ts'
import { type Machine, probes } from './features.ts'
import { launchctlOf } from './launchctl.ts'
import { explainDenial } from './privacy.ts'
import { DarwinProcessTable } from './process-table.ts'
import { findShim } from './shim.ts'
import { hasFileEvents, TreeWatches } from './tree-watches.ts'

/** macOS: its features, its processes (from ps and lsof), its desktop and its checks. */
const plugin: Plugin = {
  name: 'platform-darwin',
  api: 1,
  platforms: ['darwin'],
  async setup(host) {
    setDenials(explainDenial)
    const machine: Machine = { root: '/', path: process.env['PATH'], uid: host.platform.uid }
    const tools = new Tools(toolPath(machine.path, process.env['LOCALD_SANDBOX'] || undefined), machine.uid)
    const states = await Promise.all(platformFeatures.map(async name => ({ name, state: await probes[name](machine) })))
    for (const { name, state } of states) {
      host.feature(name, { ...state, title: titles[name] })
      const severity = name === 'process-groups' ? 'critical' : 'optional'
      const off = name === 'cgroups' ? 'skip' : 'warn'
      const display = { name, title: titles[name], severity, off } as const
      // The plugin that has the engines checks them.
      if (name !== 'containers') host.check(featureCheck(host, display, state, () => probes[name](machine)))
    }
    if (await hasFileEvents(machine)) host.provide('openFolder', () => new TreeWatches().open)
    const agents = {
      uid: host.platform.uid,
      env: process.env,
      launchctl: launchctlOf(process.env),
      release: host.platform.release,
    }
    for (const check of [...machineChecks(tools), agentCheck(agents)]) host.check(check)
    host.provide('processTable', () => new DarwinProcessTable(tools))
    host.provide('cgroups', () => ({ make: async () => undefined, remove: async () => {} }))
    host.provide('shim', () => ({ look: () => findShim(machine) }))
    host.provide('boot', () => ({ plan: unit => bootPlan(agents, unit) }))
    // A page on disk may be opened in an editor.
    host.opener(url => ({ argv: url.startsWith('file:') ? null : ['/usr/bin/open', url] }))
  },
}

export default plugin
