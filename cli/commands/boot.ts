import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { writeWhole } from '../../kernel/files.ts'
import type { Paths } from '../../kernel/paths.ts'
import type { Argv, BootPlan, BootUnit, Pong, ServerStatus } from '../../kernel/wire.ts'
import { need } from '../client.ts'
import type { Context } from '../context.ts'
import { malloc } from '../daemon-environment.ts'
import { daemonArgv, hasServices, type Installed } from '../daemon-start.ts'
import { print, printJson, say } from '../output.ts'
import { left } from './server.ts'

/** What decides where the daemon's folders and ports are, and which programs it finds. */
const taken = /^(?:PATH|TMPDIR|XDG_(?:DATA|CONFIG)_HOME|XDG_RUNTIME_DIR|LOCALD_\w+)$/

/** `locald server install`: the machine's service manager starts the daemon from now on. Services keep running. */
export async function serverInstall(context: Context): Promise<number> {
  const { paths, json } = context
  const plan = await planOf(context)
  await left(context)
  if (existsSync(plan.file)) for (const argv of plan.unload) attempt(argv)
  try {
    unlessUnusable(plan.file, () => writeWhole(plan.file, plan.text))
    for (const argv of [...plan.load, plan.start]) carryOut(argv)
    const installed: Installed = { start: plan.start }
    writeWhole(paths.boot, `${JSON.stringify(installed)}\n`)
  } catch (error) {
    if (existsSync(plan.file)) remove(context, plan)
    await revived(paths)
    throw error
  }
  const { pid } = await (await need(paths)).get<ServerStatus>('/v1/server')
  if (json) printJson({ file: plan.file, pid, hint: plan.hint ?? null })
  else print(`Installed ${plan.file}: the daemon was started (pid ${pid})`)
  if (!json && plan.hint !== undefined) say(`Hint: ${plan.hint}`)
  return 0
}

/** `locald server uninstall`. Services keep running, under a daemon as `up` starts it. */
export async function serverUninstall(context: Context): Promise<number> {
  const { paths, json } = context
  const plan = await planOf(context)
  const isInstalled = existsSync(plan.file) || existsSync(paths.boot)
  if (isInstalled) {
    await left(context)
    remove(context, plan)
    await revived(paths)
  }
  if (json) printJson({ removed: isInstalled ? plan.file : null })
  else print(isInstalled ? `Removed ${plan.file}` : 'Nothing is installed')
  return 0
}

async function planOf({ paths }: Context): Promise<BootPlan> {
  const daemon = await need(paths)
  const cli: Argv = [process.execPath, realpathSync(process.argv[1] ?? '')]
  const set = Object.entries(process.env).flatMap(([name, value]) => (value && taken.test(name) ? [[name, value]] : []))
  const { sandbox } = paths
  const unit: BootUnit = {
    sandbox,
    run: daemonArgv(paths),
    shutdown: [...cli, 'server', 'shutdown', '--pid='],
    env: { ...malloc, ...Object.fromEntries(set), ...(sandbox === undefined ? {} : { LOCALD_SANDBOX: sandbox }) },
    log: paths.daemonLog,
  }
  return await daemon.post<BootPlan>('/v1/server/boot', unit)
}

/** Services that run on get another daemon. It is asked something, as a connection that is not used would be held open for a while. */
async function revived(paths: Paths): Promise<void> {
  if (hasServices(paths)) await (await need(paths)).get<Pong>('/v1/ping')
}

function remove({ paths }: Context, plan: BootPlan): void {
  for (const argv of plan.unload) attempt(argv)
  for (const file of [plan.file, paths.boot]) unlessUnusable(file, () => rmSync(file, { force: true }))
  for (const argv of plan.removed) attempt(argv)
}

function unlessUnusable(file: string, use: () => void): void {
  try {
    use()
  } catch (error) {
    throw new LocaldError('PATHS_UNUSABLE', `cannot change ${file}: ${messageOf(error)}`, {
      hint: 'Check the permissions of its folder.',
      cause: error,
    })
  }
}

function attempt([program, ...words]: Argv): void {
  spawnSync(program, words, { stdio: 'ignore' })
}

function carryOut([program, ...words]: Argv): void {
  const ran = spawnSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  if (ran.status === 0) return
  const why = ran.error?.message ?? ran.stderr.trim()
  throw new LocaldError('STEP_FAILED', `\`${[program, ...words].join(' ')}\` failed${why === '' ? '' : `: ${why}`}`, {
    hint: 'Run it from a session of your own: log in directly rather than by `su` or `sudo`.',
  })
}
