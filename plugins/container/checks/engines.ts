import type { CheckResult } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { Engines, FoundEngine } from '../engines/engines.ts'
import { readContainersFlag } from '../engines/flag.ts'
import { pass, skip, warn } from './result.ts'

/** Engines have this long to answer, less than `doctor` waits: ms. */
const lookLimit = 5000

/** Checks which engine a new project would use and why, and names the others. */
export async function checkEngines(engines: Engines): Promise<CheckResult> {
  const title = 'Container services'
  const flag = readContainersFlag(engines)
  if (!flag.on) return warn(`${title}: ${flag.reason}`, flag.hint ?? 'Install podman or docker.')
  const signal = AbortSignal.timeout(lookLimit)
  try {
    const [{ source, why }, found] = await Promise.all([engines.choose(undefined, signal), engines.look(signal)])
    const used = found.filter(({ name }) => name === source.name).map(describeEngine)
    const others = found.filter(({ name }) => name !== source.name).flatMap(describeOther)
    return pass(`${title}: ${[`${used} (${why})`, ...others].join('; ')}`)
  } catch (error) {
    const { message, hint } = LocaldError.from(error)
    return hint === undefined ? skip(`${title}: ${message}`) : warn(`${title}: ${message}`, hint)
  }
}

/** Returns an engine with its version and where it runs: `podman 4.3.1, rootless`. */
function describeEngine({ name, found }: FoundEngine): string {
  if (found.state === 'absent') return found.reason
  const detail = found.detail === undefined || found.detail === name ? '' : `, ${found.detail}`
  return `${name} ${found.version}${detail}`
}

/** Leaves out what is not installed. */
function describeOther({ name, found }: FoundEngine): readonly string[] {
  return found.state === 'absent' && /not installed/.test(found.reason) ? [] : [describeEngine({ name, found })]
}
