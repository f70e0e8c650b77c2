import { join } from 'node:path'
import type { FeatureState } from '../../kernel/contract/plugin.ts'
import { confName, linuxPaths } from '../../shim/paths.ts'
import type { ShimState } from '../privileges/provides.ts'
import type { Machine } from './machine.ts'
import { statOf, textOf } from './machine.ts'

/**
 * Where `locald admin setup` installs the privileged helper: the first, unless others than root can write to a folder
 * on its path.
 */
export const shimPaths = linuxPaths.shims
/** The users that may run it, a line `uid N` each; a comment `# ports only` for an installation with capabilities. */
export const shimConf = join(linuxPaths.conf, confName)

const setup = 'Run `sudo locald admin setup`.'

/** Returns the path of the privileged helper, and whether this user can use it. */
export async function findShim(machine: Machine): Promise<ShimState> {
  for (const path of shimPaths) {
    const state = await stateOf(machine, path)
    if (state !== undefined) return state
  }
  const none = { on: false, reason: 'locald-shim is not installed', hint: setup }
  return { ...none, path: shimPaths[0], portsOnly: false }
}

async function stateOf(machine: Machine, path: string): Promise<ShimState | undefined> {
  const file = await statOf(machine, path)
  if (file === undefined) return undefined
  const conf = (await textOf(machine, shimConf)) ?? ''
  const portsOnly = (file.mode & 0o4000) === 0 && /^# ports only$/m.test(conf)
  const off = (reason: string, hint = setup): ShimState => ({ on: false, reason, hint, path, portsOnly })
  const isRoots = file.isFile() && file.uid === 0 && (file.mode & 0o022) === 0
  if (!isRoots || ((file.mode & 0o4000) === 0 && !portsOnly)) {
    return off(`${path} is not a setuid program that only root can change`)
  }
  if (machine.uid !== 0 && !conf.split('\n').includes(`uid ${machine.uid}`)) {
    return off('locald-shim was not set up for this user')
  }
  if (/^NoNewPrivs:\s*1$/m.test((await textOf(machine, '/proc/self/status')) ?? '')) {
    const reason = 'locald was started where no program may gain privileges (no_new_privs)'
    return off(reason, 'Start it from a plain terminal: `locald server restart`.')
  }
  return { on: true, path, portsOnly }
}

/** Returns the state of a feature that needs the whole helper, not only its ports. */
export async function requireFullShim(machine: Machine, what: string): Promise<FeatureState> {
  const { on, portsOnly, reason, hint } = await findShim(machine)
  if (on && !portsOnly) return { on: true }
  if (on) return { on: false, reason: `${what} needs more than a locald-shim for ports only`, hint: setup }
  return { on: false, reason: `${what} needs locald-shim, but ${reason}`, hint: hint ?? setup }
}
