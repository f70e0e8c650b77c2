import { installHint } from './install-hint.ts'
import type { EngineMachine } from './machine.ts'

/** Returns what to do about an error of a podman that prints its version but can run nothing. */
export function diagnosePodman(machine: EngineMachine, text: string): string {
  if (/newuidmap|newgidmap/.test(text) && /not found|no such file/i.test(text)) {
    return `${installHint(machine, 'uidmap')} Rootless podman needs newuidmap.`
  }
  if (/subuid|subgid|sub-?ids?|insufficient UIDs|potentially insufficient/i.test(text)) {
    return 'Run `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER` and `podman system migrate`.'
  }
  if (/user namespaces? (?:are|is) not enabled|clone.*operation not permitted|userns.*not permitted/i.test(text)) {
    return 'Run `sudo sysctl -w kernel.unprivileged_userns_clone=1`: rootless podman needs user namespaces.'
  }
  if (/cgroups? in hybrid mode not supported|crun/i.test(text)) {
    return `${installHint(machine, 'runc')} Set \`runtime = "runc"\` under \`[engine]\` in ~/.config/containers/containers.conf.`
  }
  if (/no space left on device/i.test(text))
    return 'Free some space on the disk of podman: `podman system df` lists it.'
  if (/XDG_RUNTIME_DIR|\/run\/user\/\d+/.test(text)) {
    return 'Log in directly rather than by `su` or `sudo`: podman needs the folder XDG_RUNTIME_DIR.'
  }
  return 'Run `podman info` to see why.'
}
