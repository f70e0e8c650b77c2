/** An engine in the VM, by its CLI. */
export type GuestDialect = 'nerdctl' | 'podman' | 'docker'

/** The engine in the VM. */
export interface GuestEngine {
  readonly dialect: GuestDialect
  readonly version: string
}

/** containerd keeps apart what other users of nerdctl in the VM make. */
const namespace = 'locald'

/** Returns the first words of the engine's command line. */
export function engineWords({ dialect }: GuestEngine): readonly string[] {
  return dialect === 'nerdctl' ? ['nerdctl', '--namespace', namespace] : [dialect]
}
