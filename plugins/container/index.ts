import type { Plugin } from '../../kernel/contract/plugin.ts'
import { findProgram, pathFolders, runProgram } from '../lib/programs.ts'
import { ContainerContext, type EngineChoice } from './context.ts'
import { ContainerDriver } from './driver.ts'
import type { Engine } from './provides.ts'

/** Containers, by an engine that is there: type `container`. */
const plugin: Plugin = {
  name: 'container',
  api: 1,
  after: ['exec-runtime', 'platform-linux', 'platform-darwin'],
  setup(host) {
    const stub = {
      ensure: async () => [],
      withdraw: () => {},
      release: async () => {},
      close: async () => {},
    }
    const context = new ContainerContext(host.folders.data, podmanOnly(), stub, host.log)
    host.service(new ContainerDriver(context))
    host.hooks.booted.tapPromise('container', () => context.removeLost())
    host.hooks.down.tapPromise('container', project => context.down(project))
    host.onClose(() => context.close())
  },
}

export default plugin

function podmanOnly(): EngineChoice {
  const open = async (): Promise<Engine | undefined> => {
    const program = await findProgram(['podman'], pathFolders(process.env['PATH']))
    if (program === undefined) return undefined
    const version =
      (await runProgram(program, ['--version'], { timeoutMs: 2000 })).stdout.trim().split(' ').at(-1) ?? ''
    const env = Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))
    return {
      ...{ name: 'podman', dialect: 'podman', version, hostName: undefined, isNative: true },
      command: (args, { variables = {} } = {}) => ({
        argv: [program, args[0] ?? '', ...Object.keys(variables).flatMap(name => ['-e', name]), ...args.slice(1)],
        env: { ...env, ...variables },
      }),
      shares: async () => true,
      hold: () => () => {},
    }
  }
  return {
    of: async () => {
      const engine = await open()
      if (engine === undefined) throw new Error('podman is not installed')
      return engine
    },
    running: open,
  }
}
