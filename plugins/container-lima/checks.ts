import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CheckResult, PlatformFacts } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { canAccess } from '../lib/files.ts'
import { findProgram, pathFolders } from '../lib/programs.ts'
import { excessOf } from './lima-home.ts'
import type { FoundLima, LimaMachine } from './lima-machine.ts'
import { installHint } from './limactl-program.ts'
import { type CheckId, titles } from './titles.ts'

const severity = 'optional'
/** The image, containerd and a few containers. */
const wantedBytes = 10 * 1024 ** 3
/** f_type of NFS in statfs(2). */
const nfs = 0x6969

/** Runs a check. None starts the VM; without Lima all but the first are skipped. */
export async function runCheck(id: CheckId, machine: LimaMachine, platform: PlatformFacts): Promise<CheckResult> {
  if (id === 'lima') return await checkProgram(machine)
  const lima = await machine.find()
  if (lima === undefined) return { status: 'skip', severity, summary: `${titles[id]}: Lima is not installed` }
  const checks = {
    'lima-machine': () => checkSupport(machine, platform, lima),
    'lima-folder': () => checkFolder(machine),
    'lima-vm': () => checkVm(lima),
  }
  return await checks[id]().catch(error => ({
    ...{ status: 'warn', severity, summary: `${titles[id]}: ${messageOf(error)}` },
    ...(LocaldError.is(error) && error.hint !== undefined ? { fix: error.hint } : {}),
  }))
}

async function checkProgram(machine: LimaMachine): Promise<CheckResult> {
  const lima = await machine.find()
  if (lima === undefined) {
    const summary = 'Lima: not installed; only a machine without a container engine needs it'
    return { status: 'skip', severity, summary, fix: installHint }
  }
  try {
    return pass(`Lima ${await lima.verbs.version()} at ${lima.limactl.program}`)
  } catch (error) {
    return warn(messageOf(error), (LocaldError.is(error) ? error.hint : undefined) ?? installHint)
  }
}

async function checkSupport(machine: LimaMachine, platform: PlatformFacts, { verbs }: FoundLima): Promise<CheckResult> {
  const info = await verbs.info()
  if (info === undefined) return warn('Lima: `limactl info` does not answer', 'Run `limactl info` to see why.')
  if (platform.arch === 'arm64' && info.hostArch === 'x86_64') {
    return warn('Lima: limactl is for x86_64 and runs in Rosetta', 'Run `brew install lima` in a shell of arm64.')
  }
  if (machine.os === 'darwin') {
    if (info.vmTypes.includes('vz')) return pass('Lima: the VM uses Virtualization.framework (vz)')
    return warn('Lima: no vz here: the VM needs QEMU', 'Update to macOS 13.5 or later, or run `brew install qemu`.')
  }
  const fault = await machine.kvmFault()
  if (fault !== undefined) return warn(`Lima: ${fault.reason}`, fault.hint)
  const name = `qemu-system-${platform.arch === 'arm64' ? 'aarch64' : 'x86_64'}`
  if ((await findProgram([name], pathFolders(machine.env['PATH']))) !== undefined)
    return pass(`Lima: the VM uses ${name} with KVM`)
  return warn(
    `Lima: ${name} is not installed`,
    'Install QEMU: `sudo apt install qemu-system-x86` or `sudo dnf install qemu-kvm`.',
  )
}

async function checkFolder(machine: LimaMachine): Promise<CheckResult> {
  const { limaHome } = machine
  const excess = excessOf(limaHome, machine.os)
  if (excess > 0) {
    return warn(
      `Lima: its folder ${limaHome} is ${excess} bytes too long for sockets`,
      'Set LOCALD_LIMA_HOME to a shorter folder.',
    )
  }
  let folder = limaHome
  while (!(await canAccess(folder)) && dirname(folder) !== folder) folder = dirname(folder)
  const { bavail, bsize, type } = await statfs(folder)
  if (type === nfs) return warn(`Lima: ${folder} is on NFS`, 'Set LOCALD_LIMA_HOME to a folder on a local disk.')
  const free = bavail * bsize
  if (free >= wantedBytes) return pass(`Lima: ${limaHome} has ${gibibytes(free)} GiB free`)
  return warn(`Lima: ${gibibytes(free)} GiB free at ${folder}; a VM needs about 10`, 'Free disk space.')
}

async function checkVm({ vm, verbs }: FoundLima): Promise<CheckResult> {
  const info = await vm.look()
  if (info === undefined) return pass('Lima: the VM is created when a container first needs it')
  if (info.status === 'Broken') {
    return warn(`Lima: the VM is broken: ${info.errors.join('; ')}`, 'Run `locald vm start`: it recovers a crashed VM.')
  }
  const pending = await verbs.pending()
  if (pending === 'restart') {
    return warn(
      'Lima: the VM needs a restart to apply its options',
      'Run `locald vm stop`: the next start applies them.',
    )
  }
  if (pending === 'create') {
    return warn('Lima: the VM was created from another template', 'Run `locald vm delete` to see what a new VM costs.')
  }
  return pass(`Lima: the VM is ${vm.state}`)
}

function gibibytes(bytes: number): number {
  return Math.floor(bytes / 1024 ** 3)
}

function pass(summary: string): CheckResult {
  return { status: 'pass', severity, summary }
}

function warn(summary: string, fix: string): CheckResult {
  return { status: 'warn', severity, summary, fix }
}
