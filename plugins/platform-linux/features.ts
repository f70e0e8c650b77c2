import { basename } from 'node:path'
import type { FeatureState } from '../../kernel/contract/plugin.ts'
import type { PlatformFeature } from '../lib/features.ts'
import { cgroups } from './cgroups/detect.ts'
import type { Machine } from './machine.ts'
import { findProgramOn, isWritable, statOf, textOf } from './machine.ts'
import { findShim, requireFullShim } from './shim.ts'

const on: FeatureState = { on: true }
const setup = 'Run `sudo locald admin setup`.'
const bindsLowPorts = 10n

/** Probes each feature by reading a few files, without running a program. */
export const probes: Readonly<Record<PlatformFeature, (machine: Machine) => Promise<FeatureState>>> = {
  containers,
  cgroups,
  shim,
  'privileged-ports': privilegedPorts,
  'hosts-file': machine => requireFullShim(machine, 'the hosts file'),
  'trust-store': trustStore,
  'process-groups': async () => on,
  'open-browser': openBrowser,
  'boot-service': bootService,
  vm,
}

/** Returns the program that opens URLs; WSL has its own. */
export async function findOpener(machine: Machine): Promise<string> {
  return basename((await findProgramOn(machine, ['wslview', 'xdg-open'])) ?? 'xdg-open')
}

async function containers(machine: Machine): Promise<FeatureState> {
  if ((await findProgramOn(machine, ['podman', 'docker', 'nerdctl'])) !== undefined) return on
  return {
    on: false,
    reason: 'no container engine is installed',
    hint: 'Install podman or docker (`sudo apt install podman`); or use `command = "..."` to run a native process.',
  }
}

async function shim(machine: Machine): Promise<FeatureState> {
  const { on, reason, hint } = await findShim(machine)
  return on ? { on } : { on, ...(reason === undefined ? {} : { reason }), ...(hint === undefined ? {} : { hint }) }
}

async function privilegedPorts(machine: Machine): Promise<FeatureState> {
  if ((await shim(machine)).on) return on
  const first = Number((await textOf(machine, '/proc/sys/net/ipv4/ip_unprivileged_port_start')) ?? 1024)
  if (first <= 80) return on
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec((await textOf(machine, '/proc/self/status')) ?? '')?.[1] ?? '0'
  if ((BigInt(`0x${capabilities}`) >> bindsLowPorts) & 1n) return on
  return {
    on: false,
    reason: `ports below ${first} need locald-shim`,
    hint: `${setup} Until then URLs carry a port number.`,
  }
}

async function trustStore(machine: Machine): Promise<FeatureState> {
  const tools = ['update-ca-certificates', 'update-ca-trust', 'trust']
  // A user's PATH often lacks the system administrator's folders.
  if ((await findProgramOn(machine, tools, ['/usr/sbin', '/sbin'])) !== undefined) return on
  return {
    on: false,
    reason: `none of ${tools.join(', ')} is installed`,
    hint: "Install your distribution's `ca-certificates` package, or add the CA by hand: `locald trust` shows its file.",
  }
}

async function openBrowser(machine: Machine): Promise<FeatureState> {
  if ((await findProgramOn(machine, ['wslview'])) !== undefined) return on
  if (!machine.env['DISPLAY'] && !machine.env['WAYLAND_DISPLAY']) {
    return {
      on: false,
      reason: 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)',
      hint: 'Open the URL in a browser yourself; from another machine, forward its port with `ssh -L`.',
    }
  }
  if ((await findProgramOn(machine, ['xdg-open'])) !== undefined) return on
  return { on: false, reason: 'xdg-open is not installed', hint: "Install your distribution's `xdg-utils` package." }
}

async function bootService(machine: Machine): Promise<FeatureState> {
  if ((await statOf(machine, '/run/systemd/system')) === undefined) {
    return {
      on: false,
      reason: 'systemd does not run on this machine',
      hint: 'Run `locald server start` from your init system or login script.',
    }
  }
  if ((await statOf(machine, `/run/user/${machine.uid}/systemd`)) !== undefined) return on
  return {
    on: false,
    reason: 'systemd runs no instance for this user',
    hint: 'Log in directly rather than by `su` or `sudo`, or run `sudo loginctl enable-linger $USER`.',
  }
}

async function vm(machine: Machine): Promise<FeatureState> {
  if (await isWritable(machine, '/dev/kvm')) return on
  if ((await statOf(machine, '/dev/kvm')) === undefined) {
    return {
      on: false,
      reason: 'there is no /dev/kvm',
      hint: 'Turn on virtualisation in the firmware (or, inside a virtual machine, nested virtualisation).',
    }
  }
  return {
    on: false,
    reason: 'this user may not use /dev/kvm',
    hint: 'Run `sudo usermod -aG kvm $USER` and log in again.',
  }
}
