import type { FeatureState } from '../../../kernel/contract/plugin.ts'
import { installCommand } from './install-hint.ts'
import type { EngineMachine } from './machine.ts'

const native = 'or use `command = "..."` to run a native process.'

/** The engines as far as the flag depends on them. */
interface Installed {
  readonly machine: EngineMachine
  known(): readonly string[]
}

/**
 * Returns the flag `containers` as it is now: off where no engine is installed, with the one command that helps. One
 * that is installed and does not answer is an error of the start, as starting it may be all it takes.
 */
export function readContainersFlag(engines: Installed): FeatureState {
  const known = engines.known()
  if (known.length > 0) return { on: true, reason: known.join(', ') }
  if (engines.machine.os === 'darwin') {
    return {
      on: false,
      reason: 'Lima is not installed',
      hint: `\`brew install lima\` or \`locald vm install\`; ${native}`,
    }
  }
  const command = installCommand(engines.machine, 'podman')
  const install = command === undefined ? 'Install podman or docker' : `Run \`${command}\``
  return { on: false, reason: 'no container engine is installed', hint: `${install}; ${native}` }
}
