import type { Plugin } from '../../kernel/contract/plugin.ts'
import { featureCheck, platformFeatures } from '../lib/features.ts'
import { bootPlan } from './boot.ts'
import { findCgroupMethod } from './cgroups/detect.ts'
import { CgroupTree } from './cgroups/tree.ts'
import { machineChecks, titles } from './checks.ts'
import { findOpener, probes } from './features.ts'
import { opensFiles } from './file-urls.ts'
import type { Machine } from './machine.ts'
import { LinuxProcessTable } from './process-table.ts'
import { findShim } from './shim.ts'
import { unitCheck } from './systemd-unit.ts'

/** Linux: its features, its processes (from /proc), its desktop and its checks. */
const plugin: Plugin = {
  name: 'platform-linux',
  api: 1,
  platforms: ['linux'],
  async setup(host) {
    const machine: Machine = { root: '/', env: process.env, uid: host.platform.uid }
    const opener = await findOpener(machine)
    const states = await Promise.all(platformFeatures.map(async name => ({ name, state: await probes[name](machine) })))
    for (const { name, state } of states) {
      host.feature(name, { ...state, title: titles[name] })
      const severity = name === 'process-groups' ? 'critical' : 'optional'
      const display = { name, title: titles[name], severity } as const
      // The plugin that has the engines checks them.
      if (name !== 'containers') host.check(featureCheck(host, display, state, () => probes[name](machine)))
    }
    for (const check of [...machineChecks(machine), unitCheck(machine)]) host.check(check)
    host.provide('processTable', () => new LinuxProcessTable(host.platform.uid))
    host.provide(
      'cgroups',
      use =>
        new CgroupTree({
          method: () => findCgroupMethod(machine),
          delegate: () => use.privileges.delegateCgroup(),
          log: host.log,
        }),
    )
    host.provide('shim', () => ({ look: () => findShim(machine) }))
    host.provide('boot', () => ({ plan: unit => bootPlan(machine, unit) }))
    host.opener(async url => {
      if (url.startsWith('file:') && !(await opensFiles(machine))) return { argv: null }
      if (host.has('open-browser')) return { argv: [opener, url] }
      const { hint } = await probes['open-browser'](machine)
      return { argv: null, ...(hint === undefined ? {} : { hint }) }
    })
  },
}

export default plugin
