import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  type CommonOptions,
  type Instance,
  isWithin,
  type Processes,
  type Run,
  type ServiceType,
} from '../../kernel/contract/plugin.ts'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import { fieldOf, textOf } from '../lib/json.ts'
import { askSite, type ControlAddress } from './control.ts'
import { SiteInstance } from './instance.ts'
import { options, type SiteOptions } from './options.ts'
import { type SiteSettings, settingsVariable } from './server/settings.ts'
import { outputOf, watchedFiles } from './watched-files.ts'

type SiteRun = Run<SiteOptions>

/** Pause between two tries to reach a server that starts: ms. */
const pauseMs = 10
/** The program of the server, beside this one where both were compiled, and in the same place of the bundle. */
const program = join(builtFolder(import.meta.dirname), 'plugins', 'site', 'server', 'main.js')

/** Runs services of type `site`. */
export class SiteDriver implements ServiceType<SiteOptions> {
  readonly type = 'site'
  readonly shape = options
  readonly #processes: () => Processes

  constructor(processes: () => Processes) {
    this.#processes = processes
  }

  watch(site: SiteOptions, common: CommonOptions): readonly string[] {
    return watchedFiles(site, common)
  }

  /** Starts the server, which builds first. Resolves when the build is done; its failure is that of the start. */
  async start(run: SiteRun): Promise<Instance> {
    await checkFolders(run)
    const output = outputOf(run.options, run.dir)
    const address = { port: portOf(run), token: randomBytes(18).toString('base64url') }
    const { NODE_OPTIONS: nodeOptions = null, ...env } = run.env
    const { build = null, spa, reload } = run.options
    const { domain } = run.project
    const settings: SiteSettings = { ...address, output, domain, build, spa, reload, nodeOptions }
    const server = await this.#processes().spawn({
      key: run.key,
      argv: [process.execPath, program, output],
      dir: run.dir,
      env: { ...env, [settingsVariable]: JSON.stringify(settings) },
      tty: false,
      log: run.log,
      port: run.port,
      stopSignal: run.stopSignal,
      stopTimeout: run.stopTimeout,
    })
    try {
      if (build !== null) run.step(`building: ${build}`)
      await waitForBuild(server, address, run)
      await requireFolder(output, run.key, 'Set `path` to the folder that `build` writes.')
    } catch (error) {
      await server.stop({ signal: run.stopSignal, graceMs: run.stopTimeout })
      throw error
    }
    return new SiteInstance({ server, address, project: run.project.path, output })
  }

  async adopt(run: SiteRun, state: unknown): Promise<Instance | undefined> {
    const server = await this.#processes().adopt(state, run.log)
    const [port, token] = [fieldOf(state, 'site', 'port'), textOf(state, 'site', 'token')]
    if (server === undefined || typeof port !== 'number' || token === undefined) return server
    const output = outputOf(run.options, run.dir)
    const instance = new SiteInstance({ server, address: { port, token }, project: run.project.path, output })
    instance.refresh()
    return instance
  }
}

/** Waits until the server answers and its first build is done. Throws SERVICE_FAILED with what went wrong. */
async function waitForBuild(server: Instance, address: ControlAddress, { key, signal }: SiteRun): Promise<void> {
  let hasExited = false
  void server.exited.then(() => {
    hasExited = true
  })
  for (;;) {
    signal.throwIfAborted()
    try {
      const problem = await askSite(address, undefined, signal)
      if (problem === null) return
      throw new LocaldError('SERVICE_FAILED', problem, { service: key })
    } catch (error) {
      if (LocaldError.is(error)) throw error
      signal.throwIfAborted()
    }
    if (hasExited)
      throw new LocaldError('SERVICE_FAILED', 'its server exited', {
        service: key,
        hint: 'Run `locald logs` for details.',
      })
    await setTimeout(pauseMs)
  }
}

/** Throws SPAWN_FAILED for a folder that does not exist, SERVICE_FAILED for a build that would run forever. */
async function checkFolders({ options, dir, key }: SiteRun): Promise<void> {
  await requireFolder(dir, key, 'Correct `workdir`; it is relative to the project.')
  const output = outputOf(options, dir)
  if (options.build === undefined)
    await requireFolder(
      output,
      key,
      'Set `path` to the folder with the files, or `build` to the command that writes it.',
    )
  else if (isWithin(dir, output))
    throw new LocaldError('SERVICE_FAILED', '`build` needs an output folder of its own', {
      service: key,
      hint: 'Set `path` to the folder that `build` writes, such as `path = "dist"`.',
    })
}

async function requireFolder(folder: string, key: string, hint: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => systemCode(error))
  if (typeof found === 'object' && found.isDirectory()) return
  const problem = typeof found === 'object' ? 'is not a folder' : 'does not exist'
  throw new LocaldError('SPAWN_FAILED', `the folder ${folder} ${problem}`, { service: key, hint })
}

function portOf(run: SiteRun): number {
  if (run.port !== undefined) return run.port
  throw new LocaldError('INTERNAL', `${run.key} has no port`, { service: run.key })
}

/** Returns the folder that the running code was built into. */
function builtFolder(folder: string): string {
  return ['build', 'dist'].includes(basename(folder)) ? folder : builtFolder(dirname(folder))
}
