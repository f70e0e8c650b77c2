import { join } from 'node:path'
import type { CheckResult } from '../../../kernel/contract/plugin.ts'
import { parseJson, textOf } from '../../lib/json.ts'
import { findProgram, pathFolders } from '../../lib/programs.ts'
import { tryEngine } from '../calls/run-engine.ts'
import { installHint } from '../engines/install-hint.ts'
import { askClient, type EngineMachine } from '../engines/machine.ts'
import type { Engine } from '../provides.ts'
import { pass, warn } from './result.ts'

const limit = 5000
const settings = '~/.config/containers/containers.conf'

/** Where distributions have the programs that podman runs. */
const helperFolders = ['lib', 'libexec', 'local/lib', 'local/libexec'].map(folder => join('/usr', folder, 'podman'))

/** Checks the settings of a podman of this machine that containers of locald depend on. */
export async function checkPodman(
  machine: EngineMachine,
  podman: Engine,
  helpers: readonly string[] = helperFolders,
): Promise<CheckResult> {
  const title = 'podman'
  const asked = await tryEngine(podman, ['info', '--format', 'json'], { timeoutMs: limit })
  const info = parseJson(asked.stdout)
  if (info === undefined) return warn(`${title}: \`podman info\` failed`, 'Run `podman info` to see why.')
  const manager = textOf(info, 'host', 'cgroupManager')
  const logger = textOf(info, 'host', 'eventLogger')
  const driver = textOf(info, 'store', 'graphDriverName')
  const backend = textOf(info, 'host', 'networkBackend') ?? 'cni'
  if (logger === 'none') {
    const fix = `Set \`events_logger = "file"\` under \`[engine]\` in ${settings}.`
    return warn(`${title}: it records no events, so that locald does not see containers exit`, fix)
  }
  const fault = await networkFault(machine, backend, helpers)
  if (fault !== undefined) return fault
  if (driver === 'vfs') {
    const fix = `${installHint(machine, 'fuse-overlayfs')} Then \`podman system reset\` changes the driver, and deletes all of podman's data.`
    return warn(`${title}: the storage driver vfs copies whole images: containers start slowly`, fix)
  }
  return pass(`${title} ${podman.version}: cgroups by ${manager}, events by ${logger}, storage ${driver}, ${backend}`)
}

/** Returns what is wrong with the programs that make networks, and names in them. */
async function networkFault(
  machine: EngineMachine,
  backend: string,
  helpers: readonly string[],
): Promise<CheckResult | undefined> {
  const install = (name: string) => installHint(machine, name)
  if (backend !== 'netavark') {
    const fix = `${install('netavark')} Set \`network_backend = "netavark"\` under \`[network]\` in ${settings}.`
    return warn(`podman: its networks are made by ${backend}: containers do not find each other by name`, fix)
  }
  const [netavark, aardvark] = await Promise.all([
    helperVersion(machine, 'netavark', helpers),
    helperVersion(machine, 'aardvark-dns', helpers),
  ])
  if (netavark === undefined) return warn('podman: netavark is not installed: it has no networks', install('netavark'))
  if (aardvark === undefined)
    return warn(
      'podman: aardvark-dns is not installed: containers do not find each other by name',
      install('aardvark-dns'),
    )
  const release = (version: string) => version.split('.').slice(0, 2).join('.')
  if (release(netavark) === release(aardvark)) return undefined
  const fix = 'Install the same version of both from one source.'
  return warn(`podman: netavark ${netavark} and aardvark-dns ${aardvark} do not belong together`, fix)
}

async function helperVersion(
  machine: EngineMachine,
  name: string,
  helpers: readonly string[],
): Promise<string | undefined> {
  const program = await findProgram([name], [...helpers, ...pathFolders(machine.env['PATH'])])
  if (program === undefined) return undefined
  const { stdout } = await askClient(machine, program, ['--version'], AbortSignal.timeout(limit))
  return /(\d+\.\d+\S*)/.exec(stdout)?.[1]
}
