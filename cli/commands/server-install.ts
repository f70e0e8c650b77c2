import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { BootPlan, BootStart, BootUnit, Pong, ServerStatus } from '../../kernel/protocol.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import type { Context } from '../context.ts'
import { need } from '../daemon/client.ts'
import { reach } from '../daemon/connect.ts'
import { malloc } from '../daemon/environment.ts'
import { startBy } from '../daemon/machine-start.ts'
import { cleanUp, isInstalled, load, start, unload } from '../daemon/service-manager.ts'
import { lastingFolders, stablePath } from '../daemon/stable-path.ts'
import { hasServices, managedArgv, startLimit } from '../daemon/start.ts'
import { left } from '../follow/shutdown.ts'
import { print, printJson, say } from '../output/terminal.ts'

/**
 * What decides where the daemon's folders and ports are, which programs it finds, and in what language pinned projects run: launchd gives an
 * agent neither LANG nor LC_ALL. TMPDIR is left to the service manager: that of a nix-shell or a script is removed with it.
 */
const taken = /^(?:PATH|LANG|LC_\w+|TZ|XDG_(?:DATA|CONFIG)_HOME|XDG_RUNTIME_DIR|LOCALD_\w+)$/

/** launchd of macOS 26.5 refuses an agent's file that others cannot read, with 5 (openclaw/openclaw#104228). Nothing in it is secret. */
const readableByAll = 0o644

/** `locald server install`: the machine's service manager starts the daemon from now on. Services keep running. */
export async function serverInstall(context: Context): Promise<number> {
  const { paths, json } = context
  const plan = await planOf(context)
  await left(context)
  try {
    await install(paths, plan)
  } catch (error) {
    await undo(paths, plan)
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
  const isThere = (await isInstalled(plan)) || existsSync(paths.boot)
  if (isThere) {
    await left(context)
    await remove(paths, plan)
    await revived(paths)
  }
  if (json) printJson({ removed: isThere ? plan.file : null })
  else print(isThere ? `Removed ${plan.file}` : 'Nothing is installed')
  return 0
}

async function planOf({ paths }: Context): Promise<BootPlan> {
  const daemon = await need(paths)
  const stable = (path: string) => stablePath(path, process.env['PATH'])
  const set = Object.entries(process.env).flatMap(([name, value]) =>
    value && taken.test(name) ? [[name, name === 'PATH' ? lastingFolders(value) : value]] : [],
  )
  const { sandbox } = paths
  const unit: BootUnit = {
    sandbox,
    run: managedArgv(paths),
    shutdown: [stable(process.execPath), stable(resolve(process.argv[1] ?? '')), 'server', 'shutdown', '--pid='],
    env: { ...malloc, ...Object.fromEntries(set), ...(sandbox === undefined ? {} : { LOCALD_SANDBOX: sandbox }) },
    log: paths.daemonLog,
  }
  return await daemon.post<BootPlan>('/v1/server/boot', unit)
}

async function install(paths: Paths, plan: BootPlan): Promise<void> {
  if (await isInstalled(plan)) await unload(plan)
  unlessUnusable(plan.file, () => writeAtomic(plan.file, plan.text, { mode: readableByAll }))
  await load(plan)
  await start(plan)
  const limitMs = plan.delayMs + startLimit()
  const { socket } = await startBy(plan, { paths, find: () => reach(paths), limitMs })
  socket?.destroy()
  if (socket === undefined) {
    throw new LocaldError('STEP_FAILED', `${plan.manager} did not start the daemon within ${limitMs / 1000} s`, {
      hint: `Read its log: ${paths.daemonLog}`,
    })
  }
  const { manager, start: steps, delayMs } = plan
  const installed: BootStart = { manager, start: steps, delayMs }
  writeAtomic(paths.boot, `${JSON.stringify(installed)}\n`)
}

/** Leaves nothing of an installation that failed; what keeps it from that is reported beside the failure itself. */
async function undo(paths: Paths, plan: BootPlan): Promise<void> {
  try {
    if (existsSync(paths.boot) || (await isInstalled(plan))) await remove(paths, plan)
  } catch (error) {
    say(`Warning: the failed installation could not be undone: ${messageOf(error)}`)
  }
  await revived(paths)
}

/** Services that run on get another daemon. It is asked something, as a connection that is not used would be held open for a while. */
async function revived(paths: Paths): Promise<void> {
  if (hasServices(paths)) await (await need(paths)).get<Pong>('/v1/ping')
}

async function remove(paths: Paths, plan: BootPlan): Promise<void> {
  await unload(plan)
  for (const file of [plan.file, paths.boot]) unlessUnusable(file, () => rmSync(file, { force: true }))
  await cleanUp(plan)
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
