import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { CheckResult, Host } from '../../../kernel/contract/plugin.ts'
import type { Engines } from '../engines/engines.ts'
import { label, type Names } from '../names.ts'
import type { Engine } from '../provides.ts'
import { checkDocker } from './docker-setup.ts'
import { checkEngines } from './engines.ts'
import { checkPodman } from './podman-setup.ts'
import { skip } from './result.ts'
import { checkRootless } from './rootless.ts'
import { type CheckId, titles } from './titles.ts'
import { tryOut } from './trial.ts'

/** `doctor` stays fast: ms. */
const trialLimit = 5000

/** Runs a check. Engines are run only where a project has container services. */
export async function runCheck(id: CheckId, host: Host, engines: Engines, names: Names): Promise<CheckResult> {
  const { machine } = engines
  const title = titles[id]
  const whenUsed = async (check: (engine: Engine) => Promise<CheckResult>): Promise<CheckResult> => {
    if (!isUsed(host, engines)) return skip(`${title}: tried out once a project has container services`)
    const choice = await engines.choose(undefined).catch(() => undefined)
    const engine = choice && (await engines.running(choice.source.name))
    return engine === undefined ? skip(`${title}: no engine runs`) : await check(engine)
  }
  const trial = (engine: Engine) =>
    tryOut({
      engine,
      native: host.folders.native,
      folder: join(host.folders.data, 'containers'),
      labels: { [label.owner]: names.owner, [label.kind]: 'one-off' },
      limit: trialLimit,
    })
  const podman = async (engine: Engine) =>
    engine.dialect === 'podman' && engine.isNative
      ? await checkPodman(machine, engine)
      : skip(`podman: not used; ${engine.name} is`)
  const checks: Record<CheckId, () => Promise<CheckResult>> = {
    containers: () => checkEngines(engines),
    'rootless-containers': () => checkRootless(machine, { name: userInfo().username, uid: machine.uid, root: '/' }),
    docker: () => checkDocker(machine),
    podman: () => whenUsed(podman),
    'container-trial': () => whenUsed(trial),
  }
  return await checks[id]()
}

function isUsed(host: Host, engines: Engines): boolean {
  return engines.projects().length > 0 || host.use.catalog.services().some(({ type }) => type === 'container')
}
