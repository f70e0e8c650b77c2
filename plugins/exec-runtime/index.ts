import { join } from 'node:path'
import type { AdaptedCommand, Plugin, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { isProgram } from '../lib/files.ts'
import { shellCommand } from '../lib/shell-command.ts'
import { requireFolder } from '../lib/working-folder.ts'
import { addFrameworkVariables } from './framework-variables.ts'
import { withPortFlag } from './port-flags/port-flags.ts'
import { KeeperProcesses } from './processes.ts'

const keys = {
  command: {
    type: 'string',
    minLength: 1,
    pattern: '\\S',
    description: 'Shell command (sh -c). It finds its port in $PORT and should listen there, on 127.0.0.1.',
  },
  tty: {
    type: 'boolean',
    default: true,
    description: 'Run in a terminal of its own (default). false: pipes, with stderr kept apart.',
  },
} as const

const required = ['command'] as const
const options = shape({ type: 'object', properties: keys, required, additionalProperties: false })

const webKeys = {
  ...keys,
  protocol: {
    type: 'string',
    enum: ['http', 'https', 'h2c'],
    default: 'http',
    description:
      'Protocol on its port: HTTP/1.1 (default), https if it speaks TLS itself, or h2c, HTTP/2 without TLS, for gRPC.',
  },
} as const
const webOptions = shape({ type: 'object', properties: webKeys, required, additionalProperties: false })

interface CommandOptions {
  readonly command: string
  readonly tty: boolean
}

/** Supervised shell commands: types `exec` (a port and a name) and `worker` (neither). */
const plugin: Plugin = {
  name: 'exec-runtime',
  api: 1,
  after: ['platform-linux', 'platform-darwin'],
  needs: ['processTable', 'cgroups'],
  setup(host) {
    const keeper = join(host.folders.native, 'locald-keeper')
    host.provide(
      'processes',
      use =>
        new KeeperProcesses({
          keeper,
          folders: host.folders,
          table: () => use.processTable,
          cgroups: () => use.cgroups,
          log: host.log,
        }),
    )
    const start = async (run: Run<CommandOptions>, adapted?: AdaptedCommand) => {
      await requireFolder(run)
      return host.use.processes.spawn({
        key: run.key,
        ...shellCommand(adapted?.command ?? run.options.command, { ...run.env, ...adapted?.env }),
        dir: run.dir,
        tty: run.options.tty,
        log: run.log,
        port: run.port,
        stopSignal: run.stopSignal,
        stopTimeout: run.stopTimeout,
      })
    }
    const common = {
      shape: options,
      start: (run: Run<CommandOptions>) => start(run),
      adopt: (run: Run<unknown>, state: unknown) => host.use.processes.adopt(state, run.log),
    }
    host.service({
      ...{ ...common, shape: webOptions, type: 'exec', isDefault: true, network: 'web' as const },
      protocol: ({ protocol }) => protocol,
      start: async run => start(run, await withPortFlag(run)),
      adaptCommand: withPortFlag,
    } satisfies ServiceType<ShapeOf<typeof webOptions>>)
    host.service({ ...common, type: 'worker', network: 'none' } satisfies ServiceType<CommandOptions>)
    addFrameworkVariables(host)
    host.check({
      id: 'keeper',
      title: 'Keeper',
      run: async () => {
        return (await isProgram(keeper))
          ? { status: 'pass', severity: 'critical', summary: 'the keeper is installed' }
          : { status: 'fail', severity: 'critical', summary: `${keeper} is missing`, fix: 'Install locald again.' }
      },
    })
  },
}

export default plugin
