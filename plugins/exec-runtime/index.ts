import { join } from 'node:path'
import type { Plugin, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { isProgram } from '../lib/files.ts'
import { shellCommand } from '../lib/shell-command.ts'
import { requireFolder } from '../lib/working-folder.ts'
import { addFrameworkVariables } from './framework-variables.ts'
import { readNpmScript } from './npm-scripts/npm-script.ts'
import { readPackageJson, scriptsOf } from './package-json.ts'
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
    const start = async (run: Run<CommandOptions>, adapt?: typeof withPortFlag) => {
      await requireFolder(run)
      const { dir, options } = run
      const manifest = await readPackageJson(dir)
      const adapted = adapt?.(run, scriptsOf(manifest))
      const written = { command: adapted?.command ?? options.command, env: { ...run.env, ...adapted?.env } }
      const { command, env, shell } = (await readNpmScript(
        { ...written, dir, tty: options.tty, platform: host.platform.os },
        manifest,
      )) ?? {
        ...written,
        shell: undefined,
      }
      return host.use.processes.spawn({
        key: run.key,
        ...shellCommand(command, env, shell),
        dir,
        tty: options.tty,
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
      start: run => start(run, withPortFlag),
      adaptCommand: async target => withPortFlag(target, scriptsOf(await readPackageJson(target.dir))),
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
