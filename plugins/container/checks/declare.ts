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
import { tryOut } from './trial.ts'

/** `doctor` stays fast: ms. */
const trialLimit = 5000

/** Declares the checks of container engines. Engines are run only where a project has container services. */
export function declareChecks(host: Host, engines: Engines, names: Names): void {
  const { machine } = engines
  const whenUsed = async (title: string, check: (engine: Engine) => Promise<CheckResult>): Promise<CheckResult> => {
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
  const user = () => ({ name: userInfo().username, uid: machine.uid, root: '/' })
  const checks = {
    containers: ['Container services', () => checkEngines(engines)],
    'rootless-containers': ['Rootless containers', () => checkRootless(machine, user())],
    docker: ['docker', () => checkDocker(machine)],
    podman: [
      'podman',
      () =>
        whenUsed('podman', async engine =>
          engine.dialect === 'podman' && engine.isNative
            ? await checkPodman(machine, engine)
            : skip(`podman: not used; ${engine.name} is`),
        ),
    ],
    'container-trial': ['Trial of the container engine', () => whenUsed('Trial of the container engine', trial)],
  } as const satisfies Record<string, readonly [string, () => Promise<CheckResult>]>
  for (const [id, [title, run]] of Object.entries(checks)) host.check({ id, title, run })
}

function isUsed(host: Host, engines: Engines): boolean {
  return engines.projects().length > 0 || host.use.catalog.services().some(({ type }) => type === 'container')
}
