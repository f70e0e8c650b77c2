import { constants } from 'node:fs'
import { canAccess } from '../lib/files.ts'

/** What this user can do with the virtualization of Linux. */
export type KvmState = 'usable' | 'forbidden' | 'missing'

const device = '/dev/kvm'

/** Finds out whether QEMU can use KVM. */
export async function findKvm(): Promise<KvmState> {
  if (await canAccess(device, constants.R_OK | constants.W_OK)) return 'usable'
  return (await canAccess(device)) ? 'forbidden' : 'missing'
}

/** Programs by which Lima starts QEMU with emulation; a `-machine` of ours replaces that of Lima (lima: qemu.go). */
const emulation = {
  QEMU_SYSTEM_X86_64: 'qemu-system-x86_64 -machine q35,vmport=off -accel tcg,thread=multi,tb-size=512',
} as const

/** Returns more variables for limactl: it uses a /dev/kvm that is there, and does not look who may open it. */
export function qemuVariables(state: KvmState, env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return state !== 'forbidden' || env['QEMU_SYSTEM_X86_64'] ? {} : emulation
}
