import { dirname, join } from 'node:path'
import type { FeatureState } from '../../../kernel/contract/plugin.ts'
import type { Machine } from '../machine.ts'
import { isWritable, statOf, textOf } from '../machine.ts'
import { findShim } from '../shim.ts'

/**
 * Where version 2 is mounted: alone, or beside version 1 (hybrid), where it can kill processes but has no limits and no
 * accounting.
 */
const mounts = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'] as const
const instead = "Not needed: without cgroups the keeper stops a service's processes."

/**
 * How services get cgroups, in this order: `base`, in a folder that is writable; `enter`, in the daemon's own cgroup,
 * which is delegated to it (a systemd unit with Delegate=yes), but contains the daemon; `shim`, by the privileged
 * helper.
 */
export type CgroupMethod =
  | { readonly by: 'base' | 'enter'; readonly folder: string }
  | { readonly by: 'shim' }
  | { readonly by: 'none'; readonly reason: string; readonly hint: string }

/** The leaf with the daemon: a cgroup with children can contain no process itself (cgroups(7)). */
export const daemonLeaf = 'daemon'

export async function findCgroupMethod(machine: Machine): Promise<CgroupMethod> {
  const mount = await mountOf(machine)
  if (mount === undefined) return withoutUnified(machine)
  const own = parseOwnCgroup((await textOf(machine, '/proc/self/cgroup')) ?? '')
  if (own === undefined || own.split('/').includes('..')) {
    return { by: 'none', reason: 'the cgroup of this process is outside its cgroup namespace', hint: instead }
  }
  const folder = join(mount, own)
  if (own.endsWith(`/${daemonLeaf}`) && (await isDelegated(machine, dirname(folder)))) {
    return { by: 'base', folder: dirname(folder) }
  }
  // Root may write anywhere; it uses the helper's cgroup, to stay out of the way of the machine's other ones.
  if (machine.uid !== 0 && (await isDelegated(machine, folder))) return { by: 'enter', folder }
  const { on, portsOnly } = await findShim(machine)
  if (on && !portsOnly) return { by: 'shim' }
  const reason = `the cgroup ${own} is not delegated to this user`
  const hasSystemd = (await statOf(machine, '/run/systemd/system')) !== undefined
  const bySystemd = hasSystemd ? '`locald server install` (a systemd unit with Delegate=yes) or ' : ''
  return { by: 'none', reason, hint: `Run ${bySystemd}\`sudo locald admin setup\`. ${instead}` }
}

/** Returns the feature's state. */
export async function cgroups(machine: Machine): Promise<FeatureState> {
  const way = await findCgroupMethod(machine)
  return way.by === 'none' ? { on: false, reason: way.reason, hint: way.hint } : { on: true }
}

/** Returns the path of the v2 entry (`0::/user.slice/…`) of /proc/self/cgroup. */
export function parseOwnCgroup(text: string): string | undefined {
  return /^0::(\/.*)$/m.exec(text)?.[1]
}

async function mountOf(machine: Machine): Promise<string | undefined> {
  if ((await statOf(machine, `${mounts[0]}/cgroup.controllers`)) !== undefined) return mounts[0]
  return (await statOf(machine, `${mounts[1]}/cgroup.procs`)) === undefined ? undefined : mounts[1]
}

/** Whether the daemon may create folders in it, and move processes out of it into them. */
async function isDelegated(machine: Machine, folder: string): Promise<boolean> {
  return (await isWritable(machine, folder)) && (await isWritable(machine, join(folder, 'cgroup.procs')))
}

async function withoutUnified(machine: Machine): Promise<CgroupMethod> {
  const hint = `Boot with \`systemd.unified_cgroup_hierarchy=1\`. ${instead}`
  if ((await statOf(machine, `${mounts[0]}/memory`)) !== undefined) {
    return { by: 'none', reason: 'cgroups are version 1', hint }
  }
  return { by: 'none', reason: `no cgroups are mounted at ${mounts[0]}`, hint }
}
