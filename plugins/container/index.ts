import type { Plugin } from '../../kernel/contract/plugin.ts'
import { diskUseOf } from './calls/disk-use.ts'
import { declareChecks } from './checks/declare.ts'
import { containerCommand } from './commands/commands.ts'
import { usedEngines } from './commands/list.ts'
import { ContainerContext } from './context.ts'
import { ContainerDriver } from './driver.ts'
import { declareEngines, settings } from './engines/declare.ts'
import { SocketHostAccess } from './host-access/host-access.ts'

/** Containers, by an engine that is there: type `container`. */
const plugin: Plugin = {
  name: 'container',
  api: 1,
  after: ['exec-runtime', 'platform-linux', 'platform-darwin'],
  options: settings,
  setup(host) {
    const engines = declareEngines(host)
    const context = new ContainerContext(
      host.folders.data,
      engines,
      new SocketHostAccess(host.folders, host.log),
      host.log,
    )
    declareChecks(host, engines, context.names)
    host.command(containerCommand({ host, engines, names: context.names }))
    host.service(new ContainerDriver(context))
    host.hooks.booted.tapPromise('container', () => context.removeLost())
    host.hooks.down.tapPromise('container', project => context.down(project))
    host.disk(async signal => {
      const { running } = await usedEngines(engines)
      return (await Promise.all(running.map(engine => diskUseOf(engine, context.names, signal)))).flat()
    })
    host.onClose(() => context.close())
  },
}

export default plugin
