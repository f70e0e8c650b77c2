import { basename, dirname, join } from 'node:path'
import { isWithin, realPathIfAny } from '../../kernel/contract/plugin.ts'
import type { Engine } from '../container/provides.ts'
import { guestCommand } from './guest/guest-command.ts'
import type { GuestEngine } from './guest/guest-engine.ts'
import type { Limactl } from './limactl.ts'
import type { LimaOptions, Mount } from './options.ts'
import { waitForForwards } from './vm/port-forwards.ts'
import { hostNames } from './vm/template.ts'
import type { Vm } from './vm/vm.ts'
import type { VmUsage } from './vm/vm-usage.ts'

/** What an engine in the VM is made of. */
export interface LimaEngineInput {
  readonly limactl: Limactl
  readonly guest: GuestEngine
  readonly vm: Pick<Vm, 'log' | 'isUp'>
  readonly usage: VmUsage
  readonly options: Pick<LimaOptions, 'mounts' | 'patience'>
}

/** Returns the engine in the VM. */
export function limaEngine({ limactl, guest, vm, usage, options: own }: LimaEngineInput): Engine {
  return {
    name: 'lima',
    dialect: guest.dialect,
    version: guest.version,
    command: (args, options) => {
      // A VM that only commands use is not idle.
      usage.watch()
      return guestCommand(limactl, guest, args, options)
    },
    hostName: hostNames[0],
    isNative: false,
    patience: own.patience,
    shares: path => isShared(own.mounts, path),
    sharingHint:
      'Add its folder to `mounts` of `[plugins.container-lima]` in config.toml, run `locald vm stop`, and start the service; or use a volume.',
    hold: key => usage.hold(key),
    isOpen: () => vm.isUp,
    published: (ports, signal) => waitForForwards(vm.log, ports, signal),
  }
}

/**
 * Returns whether the VM sees a folder: by its name, and by where its links lead on this machine, as those that lead out
 * of a mount lead nowhere in the VM.
 */
export async function isShared(mounts: readonly Mount[], path: string): Promise<boolean> {
  const real = realPathOf(path)
  for (const mount of mounts) {
    if (isWithin(path, mount.path) && isWithin(real, realPathOf(mount.path))) return true
  }
  return false
}

/** Returns a real path, also of what does not exist yet in a folder that does. */
function realPathOf(path: string): string {
  const parent = dirname(path)
  return realPathIfAny(path) ?? (parent === path ? path : join(realPathOf(parent), basename(path)))
}
