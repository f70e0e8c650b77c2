import type { FeatureState } from '../../kernel/contract/plugin.ts'
import type { PlatformFeature } from '../lib/features.ts'
import { findProgram, pathFolders } from '../lib/programs.ts'
import { findShim } from './shim.ts'

/** The machine that is probed; a test uses a folder as root. */
export interface Machine {
  /** `/`; the root of system files. */
  readonly root: string
  readonly path: string | undefined
  readonly uid: number
}

const on: FeatureState = { on: true }
const setup = 'Run `sudo locald admin setup`.'
const lima = '`brew install lima` or `locald vm install`'

/** Probes each feature by reading a few files, without running a program. */
export const probes: Readonly<Record<PlatformFeature, (machine: Machine) => Promise<FeatureState>>> = {
  containers,
  cgroups: async () => ({
    on: false,
    reason: 'macOS has no cgroups; process groups are used',
    hint: 'Use a fixed `port`: a process that leaves its session is then found by it.',
  }),
  shim,
  'privileged-ports': machine =>
    throughShim(machine, 'ports 80 and 443 on loopback', 'Until then URLs carry a port number.'),
  'hosts-file': machine => throughShim(machine, 'changes of the hosts file'),
  // The user's keychain and trust settings need no helper.
  'trust-store': async () => on,
  'process-groups': async () => on,
  'open-browser': async () => on,
  'boot-service': async () => on,
  vm,
}

async function containers(machine: Machine): Promise<FeatureState> {
  if (await hasProgram(machine, ['limactl', 'docker', 'podman'])) return on
  return {
    on: false,
    reason: 'Lima is not installed',
    hint: `${lima}; or use \`command = "..."\` to run a native process.`,
  }
}

async function vm(machine: Machine): Promise<FeatureState> {
  if (await hasProgram(machine, ['limactl'])) return on
  return { on: false, reason: 'Lima is not installed', hint: `Run ${lima} when a service needs it; none does yet.` }
}

async function shim(machine: Machine): Promise<FeatureState> {
  const { on, reason, hint } = await findShim(machine)
  return on ? { on } : { on, ...(reason === undefined ? {} : { reason }), ...(hint === undefined ? {} : { hint }) }
}

async function throughShim(machine: Machine, what: string, besides?: string): Promise<FeatureState> {
  if ((await shim(machine)).on) return on
  return { on: false, reason: `${what} need locald-shim`, hint: besides === undefined ? setup : `${setup} ${besides}` }
}

async function hasProgram(machine: Machine, names: readonly string[]): Promise<boolean> {
  return (await findProgram(names, pathFolders(machine.path))) !== undefined
}
