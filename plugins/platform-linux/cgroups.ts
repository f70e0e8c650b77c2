import { join } from 'node:path'
import type { FeatureState } from '../../kernel/plugin.ts'
import type { Machine } from './probe.ts'
import { isWritable, statOf, textOf } from './probe.ts'

const mount = '/sys/fs/cgroup'
const instead = "Not needed: without cgroups the keeper ends a service's processes."

/** Whether our own cgroup is delegated to us, so that services can have cgroups of their own below it (cgroups(7)). */
export async function cgroups(machine: Machine): Promise<FeatureState> {
  if ((await statOf(machine, `${mount}/cgroup.controllers`)) === undefined) return withoutUnified(machine)
  const own = parseOwnCgroup((await textOf(machine, '/proc/self/cgroup')) ?? '')
  if (own === undefined || own.split('/').includes('..')) {
    return { on: false, reason: 'the cgroup of this process is outside of what it can see', hint: instead }
  }
  const folder = join(mount, own)
  // Both are needed: folders made in it, and processes moved out of it into them.
  if ((await isWritable(machine, folder)) && (await isWritable(machine, join(folder, 'cgroup.procs')))) {
    return { on: true }
  }
  return {
    on: false,
    reason: `the cgroup ${own} is not delegated to this user`,
    hint: `Run \`locald server install\` (a systemd unit with Delegate=yes) or \`sudo locald admin setup\`. ${instead}`,
  }
}

/** The path of the v2 entry (`0::/user.slice/…`) of /proc/self/cgroup. */
export function parseOwnCgroup(text: string): string | undefined {
  return /^0::(\/.*)$/m.exec(text)?.[1]
}

async function withoutUnified(machine: Machine): Promise<FeatureState> {
  const boot = `Boot with \`systemd.unified_cgroup_hierarchy=1\`. ${instead}`
  if ((await statOf(machine, `${mount}/unified`)) !== undefined) {
    return { on: false, reason: 'cgroups are in hybrid mode: controllers are on version 1', hint: boot }
  }
  if ((await statOf(machine, `${mount}/memory`)) !== undefined) {
    return { on: false, reason: 'cgroups are version 1', hint: boot }
  }
  return { on: false, reason: `no cgroups are mounted at ${mount}`, hint: boot }
}
