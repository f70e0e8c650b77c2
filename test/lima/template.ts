import { join } from 'node:path'

/** Starts qemu without KVM. Lima uses /dev/kvm where there is one, without a look at who may open it. */
export const qemuWithoutKvm = 'qemu-system-x86_64 -machine q35,vmport=off -accel tcg,thread=multi,tb-size=512'

/** Comes before Lima's own wait, which takes a guest agent that is a minute late for a failure. */
const agentProbe = `#!/bin/sh
test -S /run/lima-guestagent.sock
`

const cmdline = 'root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off nowatchdog no_timer_check'

/** Returns the template of the guest: all that locald's own does not set. JSON is YAML. */
export function guestTemplate(stage: string): string {
  const file = (name: string) => ({ location: join(stage, 'guest', name) })
  return JSON.stringify({
    vmType: 'qemu',
    arch: 'x86_64',
    vmOpts: { qemu: { cpuType: { x86_64: 'max' } } },
    firmware: { legacyBIOS: true },
    images: [{ ...file('disk'), arch: 'x86_64', kernel: { ...file('vmlinuz'), cmdline }, initrd: file('initrd.img') }],
    containerd: { system: false, user: false },
    probes: [{ description: 'the guest agent listens', script: agentProbe, hint: 'See serial.log.' }],
  })
}

/** Returns a template on that one as locald's own is, for one port. */
export function ownTemplate(base: string, port: number): string {
  return JSON.stringify({
    base: [base],
    minimumLimaVersion: '2.0.0',
    cpus: 2,
    memory: '1536MiB',
    disk: '8GiB',
    mounts: [],
    ssh: { loadDotSSHPubKeys: false, overVsock: false },
    hostResolver: { hosts: { 'host.docker.internal': 'host.lima.internal' } },
    portForwards: [
      { guestPort: port, hostPort: port, hostIP: '127.0.0.1' },
      { guestIP: '0.0.0.0', guestIPMustBeZero: false, proto: 'any', ignore: true },
    ],
    message: '',
  })
}
