import { fieldOf, parseJson, textOf } from '../../lib/json.ts'
import { instance } from '../lima-home.ts'

/** The VM as `limactl list --json` has it. */
export interface InstanceInfo {
  /** `Running`, `Stopped`, `Broken`, `Installing`, `Uninitialized`, or empty. */
  readonly status: string
  readonly dir: string
  /** Undefined where no host agent runs. */
  readonly agentPid: number | undefined
  /** Undefined where no machine runs; with vz the host agent is its process as well. */
  readonly driverPid: number | undefined
  readonly errors: readonly string[]
  readonly limaVersion: string | undefined
  /** Whether its configuration can be read; without it, it can only be removed. */
  readonly hasConfig: boolean
}

/**
 * Finds the VM in the output of `limactl list --json`: one JSON object a line, nothing at all where no VM exists (lima:
 * cmd/limactl/list.go). `list NAME` would exit with 1 for an unknown name.
 */
export function findInstance(stdout: string): InstanceInfo | undefined {
  for (const line of stdout.split('\n')) {
    const value = parseJson(line)
    if (fieldOf(value, 'name') !== instance) continue
    const errors = fieldOf(value, 'errors')
    return {
      status: textOf(value, 'status') ?? '',
      dir: textOf(value, 'dir') ?? '',
      agentPid: pidOf(value, 'hostAgentPID'),
      driverPid: pidOf(value, 'driverPID'),
      errors: Array.isArray(errors) ? errors.map(String) : [],
      limaVersion: textOf(value, 'limaVersion'),
      hasConfig: fieldOf(value, 'config') !== undefined && fieldOf(value, 'config') !== null,
    }
  }
  return undefined
}

/**
 * Returns the causes that `limactl list` warns of on stderr, in its text format: `errors="[…]"`. `errors` of its JSON is
 * empty whatever they are, and so is the field of a warning in JSON (limactl 2.2.0).
 */
export function readCauses(stderr: string): readonly string[] {
  const causes = [...stderr.matchAll(/instance `([^`]+)` has errors" errors="\[(.*?)\]"/g)]
  return causes.flatMap(([, name, text = '']) =>
    name === instance && text !== '' ? [text.replaceAll('\\"', '"')] : [],
  )
}

/** What `limactl info` says of Lima and this machine. */
export interface LimaInfo {
  readonly version: string
  readonly vmTypes: readonly string[]
  readonly hostArch: string | undefined
}

/** Reads the output of `limactl info`; undefined where it is not what Lima writes. */
export function readInfo(stdout: string): LimaInfo | undefined {
  const value = parseJson(stdout)
  const version = textOf(value, 'version')
  if (version === undefined) return undefined
  const types = fieldOf(value, 'vmTypes')
  return { version, vmTypes: Array.isArray(types) ? types.map(String) : [], hostArch: textOf(value, 'hostArch') }
}

/** Returns the version in `limactl --version`: `limactl version 2.2.0-153-g183a60d`; undefined for a text without one. */
export function readVersion(stdout: string): string | undefined {
  return /^limactl version v?(\S+)/m.exec(stdout)?.[1]
}

/** The oldest Lima that has what locald uses: `base`, `guestIPMustBeZero` and `hostArch`. */
export const oldestLima = '2.0.0'

/** Returns whether a version is new enough; a build from a commit without a tag, such as `HEAD-183a60d`, is. */
export function isRecent(version: string): boolean {
  const major = /^v?(\d+)\./.exec(version)?.[1]
  return major === undefined || Number(major) >= Number.parseInt(oldestLima, 10)
}

function pidOf(value: unknown, key: string): number | undefined {
  const pid = fieldOf(value, key)
  return typeof pid === 'number' && pid > 0 ? pid : undefined
}
