import { createHash } from 'node:crypto'
import type { LimaOptions } from '../options.ts'

const quote = (text: string): string => JSON.stringify(text)

/** By which name containers reach what listens on this machine's loopback; docker's name, and one of locald's. */
export const hostNames = ['host.docker.internal', 'host.locald.internal'] as const

/** The image of the VM; Lima's own list has its addresses and hashes. It has systemd 255: see `overVsock`. */
const image = 'template:_images/ubuntu-24.04'

/** Idempotent, as Lima runs it at each boot. */
const provisioning = [
  '#!/bin/sh',
  '# sshd allows 10 sessions over a connection; each running command of locald is one.',
  'set -eu',
  "printf 'MaxSessions 512\\nMaxStartups 64:30:512\\n' >/etc/ssh/sshd_config.d/60-locald.conf",
  "printf 'fs.inotify.max_user_watches=524288\\nfs.inotify.max_user_instances=1024\\n' >/etc/sysctl.d/60-locald.conf",
  'systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || true',
  'sysctl --quiet --load=/etc/sysctl.d/60-locald.conf || true',
]

/**
 * Lima waits minutes for this, and then 60 s for its guest agent, after which the VM is degraded until its next start. With
 * vz the guest agent has no socket in the file system (lima: cmd/lima-guestagent/daemon_linux.go).
 */
const agentProbe = [
  '#!/bin/sh',
  'test -S /run/lima-guestagent.sock && exit 0',
  'command -v systemctl >/dev/null || exit 0',
  "grep -qs -- '-port ' /etc/systemd/system/lima-guestagent.service && systemctl is-active --quiet lima-guestagent",
]

/** What QEMU emulates, with KVM and without it; Lima's own choice works with KVM only where it finds /dev/kvm. */
const slowCpu = { path: 'vmOpts.qemu.cpuType.x86_64', type: 'max' } as const

/** What can be changed while the VM is stopped, as the keys of its YAML. */
export function settingsOf(options: LimaOptions): Readonly<Record<string, unknown>> {
  return {
    cpus: options.cpus,
    memory: options.memory,
    disk: options.disk,
    mounts: options.mounts.map(({ path, isWritable }) => ({ location: path, writable: isWritable })),
  }
}

/** Returns the expression of yq by which `limactl start --set` applies the settings. */
export function settingsExpression(options: LimaOptions): string {
  const settings = Object.entries(settingsOf(options)).map(([key, value]) => `.${key} = ${JSON.stringify(value)}`)
  return [...settings, ...(options.allowSlow ? [`.${slowCpu.path} = ${quote(slowCpu.type)}`] : [])].join(' | ')
}

/** Returns a hash of what is fixed when the VM is created: it changes only with a new VM. */
export function baseHash(options: LimaOptions): string {
  return createHash('sha256')
    .update(options.template ?? image)
    .digest('hex')
    .slice(0, 16)
}

/** Returns a hash of what a restart of the VM applies. */
export function settingsHash(options: LimaOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([settingsOf(options), options.portForwarder ?? null, options.allowSlow]))
    .digest('hex')
    .slice(0, 16)
}

/**
 * Writes the template of the VM. Keys in it win over those of its `base` (lima: templates/default.yaml). Values are
 * quoted as JSON, which YAML includes.
 */
export function writeTemplate(options: LimaOptions): string {
  const settings = Object.entries(settingsOf(options)).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return `${[
    'minimumLimaVersion: 2.0.0',
    `base: [${quote(options.template ?? image)}]`,
    ...settings,
    ...(options.allowSlow ? [`vmOpts: {qemu: {cpuType: {x86_64: ${slowCpu.type}}}}`] : []),
    ...(options.template === undefined
      ? ['# Rootless; its archive is on the host.', 'containerd: {user: true, system: false}']
      : []),
    '# Lima prefers ssh over vsock for vz, which fails with "permission denied" in guests with systemd 256 or later.',
    'ssh: {loadDotSSHPubKeys: false, overVsock: false}',
    'hostResolver:',
    '  hosts:',
    ...hostNames.map(name => `    ${name}: host.lima.internal`),
    'portForwards:',
    '# What containers publish. A service may have any port that an ordinary user can listen on.',
    '- {guestIP: 127.0.0.1, guestPortRange: [1024, 65535], hostIP: 127.0.0.1, proto: tcp}',
    '# Lima would forward all other listeners of the VM as well; 0.0.0.0 alone would leave out 127.0.0.1.',
    '- {guestIP: 0.0.0.0, guestIPMustBeZero: false, ignore: true}',
    'provision:',
    '- mode: system',
    '  script: |',
    ...provisioning.map(line => `    ${line}`),
    'probes:',
    '- description: the guest agent runs',
    '  hint: Run `locald vm logs`.',
    '  script: |',
    ...agentProbe.map(line => `    ${line}`),
    'message: ""',
  ].join('\n')}\n`
}
