import type { CheckResult, Command, DiskPart, Host, ProjectRef } from '../../kernel/contract/plugin.ts'
import { diskUseOf } from './calls/disk-use.ts'
import { runCheck } from './checks/run.ts'
import type { CheckId } from './checks/titles.ts'
import { dispatch } from './commands/dispatch.ts'
import { usedEngines } from './commands/list.ts'
import { ContainerContext } from './context.ts'
import { ContainerDriver } from './driver.ts'
import type { Engines } from './engines/engines.ts'
import { SocketHostAccess } from './host-access/host-access.ts'

/** What is imported when the first container is started, adopted or asked for. */
export interface Implementation {
  readonly driver: ContainerDriver
  readonly command: Command['run']
  check(id: CheckId): Promise<CheckResult>
  disk(signal: AbortSignal): Promise<readonly DiskPart[]>
  /** Removes containers that a killed daemon had started and no service has adopted. */
  removeLost(): Promise<void>
  /** Removes what is left of a project that is down. */
  down(project: ProjectRef): Promise<void>
  close(): Promise<void>
}

export function implement(host: Host, engines: Engines): Implementation {
  const { folders, log } = host
  const context = new ContainerContext(folders.data, engines, new SocketHostAccess(folders, log), log)
  const { names } = context
  return {
    driver: new ContainerDriver(context),
    command: (argv, call) => dispatch({ host, engines, names }, argv, call),
    check: id => runCheck(id, host, engines, names),
    async disk(signal) {
      const { running } = await usedEngines(engines)
      return (await Promise.all(running.map(engine => diskUseOf(engine, names, signal)))).flat()
    },
    removeLost: () => context.removeLost(),
    down: project => context.down(project),
    close: () => context.close(),
  }
}
