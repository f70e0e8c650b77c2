import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { LimactlResult } from './limactl.ts'
import { causeOf } from './limactl-log.ts'
import { installHint } from './limactl-program.ts'
import { oldestLima } from './vm/instance-info.ts'

/** What to do with a VM that does not recover. */
const deleteHint =
  'Run `locald vm logs` to see why; `locald vm delete --yes` removes the VM and its volumes, and the next start creates it.'

/** Returns the error for a machine without limactl. */
export function missingLima(env: NodeJS.ProcessEnv): LocaldError {
  const named = env['LIMACTL']
  if (named)
    return failed(
      `Lima: LIMACTL names '${named}', which is not a program`,
      'Set LIMACTL to the path of limactl, or unset it.',
    )
  return failed('Lima is not installed', installHint)
}

/** Returns the error for a Lima that is too old. */
export function oldLima(version: string): LocaldError {
  return failed(
    `Lima ${version} is too old: locald needs ${oldestLima} or later`,
    'Run `brew upgrade lima` or `locald vm install`.',
  )
}

/** Causes that limactl reports, and what to do about them; the first that matches holds. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/must not run as the root user/, 'Run locald as an ordinary user: Lima refuses root.'],
  [/running under rosetta/, 'Install the arm64 build of Lima: run `brew install lima` in a shell without Rosetta.'],
  [/minimumLimaVersion|requires at least Lima/i, 'Run `brew upgrade lima` or `locald vm install`.'],
  [/Could not access KVM|\/dev\/kvm/, 'Run `sudo usermod -aG kvm $USER` and log in again.'],
  [
    /qemu-system-\S+.*(?:not found|no such file)|failed to find the QEMU binary/i,
    'Install QEMU: run `sudo apt install qemu-system` or `sudo dnf install qemu-kvm`.',
  ],
  [/qemu-img.*not found/i, 'Install QEMU: run `sudo apt install qemu-utils` or `sudo dnf install qemu-img`.'],
  [/no space left on device/i, 'Free disk space: the VM and its image need about 10 GiB.'],
  [/disk shrinking is not supported/, 'Set `disk` of `[plugins.container-lima]` to at least its earlier size.'],
  [/UNIX_PATH_MAX/, 'Set LOCALD_LIMA_HOME to a shorter folder and run `locald server restart`.'],
  [
    /failed to download|download|dial tcp|no such host|i\/o timeout|TLS handshake|proxyconnect/i,
    'Check the network and HTTPS_PROXY; Lima keeps what it has downloaded, in `~/Library/Caches/lima` or `~/.cache/lima`.',
  ],
]

/** Returns the error for a verb of limactl that failed. */
export function failedVerb(what: string, result: LimactlResult, dir: string): LocaldError {
  if (result.isLate === true) {
    return failed(
      `Lima: ${what} ${result.failure ?? 'timed out'}: limactl hangs`,
      `Run \`locald vm logs\` to see the last messages; the next start of a container tries again.`,
    )
  }
  const cause = result.failure ?? causeOf(result.stderr)
  if (/did not receive an event with the .running. status/.test(cause)) return timedOut(dir)
  if (/degraded/i.test(cause)) return degraded([], dir)
  const hint = hints.find(([pattern]) => pattern.test(cause))?.[1] ?? deleteHint
  return failed(`Lima: ${what} failed: ${cause === '' ? `limactl exited with code ${result.code}` : cause}`, hint)
}

/** Returns the error for a VM that did not boot in time. */
export function timedOut(dir: string): LocaldError {
  return failed(
    'Lima: the VM did not start in time',
    `Read ${join(dir, 'serial.log')}, where the VM prints its boot; a VPN can be the cause. The next start tries again; set \`start_timeout\` of \`[plugins.container-lima]\` for a slow machine.`,
  )
}

/** Returns the error for a VM that runs, but without what containers need. */
export function degraded(errors: readonly string[], dir: string): LocaldError {
  const detail = errors.length === 0 ? '' : `: ${errors.join('; ')}`
  return failed(
    `Lima: the VM started degraded, so its ports or folders do not work${detail}`,
    `Read ${join(dir, 'ha.stderr.log')}. The next start of a container restarts the VM.`,
  )
}

/** Returns the error for a VM whose state does not recover. */
export function broken(errors: readonly string[]): LocaldError {
  return failed(`Lima: the VM is broken: ${errors.join('; ') || 'no cause reported'}`, deleteHint)
}

/** Returns the error for a VM without an engine that answers. */
export function silentEngine(detail: string): LocaldError {
  return failed(
    `Lima: no container engine answers in the VM${detail === '' ? '' : `: ${detail}`}`,
    'Run `locald vm shell` and look at `systemctl --user status containerd`; or run `locald vm stop`, then start the service.',
  )
}

/** Returns the error for a published port that Lima does not forward. */
export function unforwardedPort(port: number, cause: string): LocaldError {
  if (/address already in use|failed to listen/i.test(cause)) {
    return new LocaldError('PORT_TAKEN', `Lima: port ${port} of this machine is in use: ${cause}`, {
      hint: `Run \`lsof -nP -iTCP:${port}\` to find the process, stop it, and restart the service; or set another \`port\`.`,
    })
  }
  return failed(
    `Lima: port ${port} of the VM was not forwarded: ${cause}`,
    'Run `locald vm stop`, then start the service.',
  )
}

/** Makes an ENGINE_FAILED. */
export function failed(message: string, hint: string): LocaldError {
  return new LocaldError('ENGINE_FAILED', message, { hint })
}
