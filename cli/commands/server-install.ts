import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { BootPlan, BootStart, BootUnit, Pong, ServerStatus } from '../../kernel/protocol.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { connectToDaemon } from '../daemon/connect.ts'
import { managedArgv } from '../daemon/daemon-argv.ts'
import { malloc } from '../daemon/environment.ts'
import { startThroughManager } from '../daemon/managed-start.ts'
import { cleanUp, isInstalled, load, start, unload } from '../daemon/service-manager.ts'
import { resolveShellFolders, stablePath } from '../daemon/stable-path.ts'
import { hasServices, startLimit } from '../daemon/start.ts'
import { stopDaemonKeepingServices } from '../follow/shutdown.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/**
 * Variables that decide where the daemon's folders and ports are, which programs it finds, and in what language pinned
 * projects run: launchd gives an agent neither LANG nor LC_ALL. TMPDIR is left to the service manager: that of a
 * nix-shell or a script is removed with it.
 */
const installedVariables = /^(?:PATH|LANG|LC_\w+|TZ|XDG_(?:DATA|CONFIG)_HOME|XDG_RUNTIME_DIR|LOCALD_\w+)$/

/**
 * launchd of macOS 26.5 refuses an agent's file that others cannot read, with 5 (openclaw/openclaw#104228). Nothing in
 * it is secret.
 */
const readableByAll = 0o644

/** `locald server install`: makes the machine's service manager start the daemon. Services keep running. */
export async function serverInstall(context: Context): Promise<number> {
  const { paths, json } = context
  const plan = await readPlan(context)
  await stopDaemonKeepingServices(context)
  try {
    await install(paths, plan)
  } catch (error) {
    await undoInstall(paths, plan)
    throw error
  }
  const { pid } = await (await requireDaemon(paths)).get<ServerStatus>('/v1/server')
  if (json) printJson({ file: plan.file, pid, hint: plan.hint ?? null })
  else print(`Installed ${plan.file}; daemon started (pid ${pid})`)
  if (!json && plan.hint !== undefined) printStderr(`Hint: ${plan.hint}`)
  return 0
}

/** `locald server uninstall`. Services keep running, with a daemon as `up` starts it. */
export async function serverUninstall(context: Context): Promise<number> {
  const { paths, json } = context
  const plan = await readPlan(context)
  const isThere = (await isInstalled(plan)) || existsSync(paths.boot)
  if (isThere) {
    await stopDaemonKeepingServices(context)
    await remove(paths, plan)
    await reviveServices(paths)
  }
  if (json) printJson({ removed: isThere ? plan.file : null })
  else print(isThere ? `Removed ${plan.file}` : 'Nothing is installed')
  return 0
}

async function readPlan({ paths }: Context): Promise<BootPlan> {
  const daemon = await requireDaemon(paths)
  const stable = (path: string) => stablePath(path, process.env['PATH'])
  const set = Object.entries(process.env).flatMap(([name, value]) =>
    value && installedVariables.test(name) ? [[name, name === 'PATH' ? resolveShellFolders(value) : value]] : [],
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
  useFile(plan.file, () => writeAtomic(plan.file, plan.text, { mode: readableByAll }))
  await load(plan)
  await start(plan)
  const limitMs = plan.delayMs + startLimit()
  const { socket } = await startThroughManager(plan, { paths, find: () => connectToDaemon(paths), limitMs })
  socket?.destroy()
  if (socket === undefined) {
    throw new LocaldError('STEP_FAILED', `${plan.manager} did not start the daemon within ${limitMs / 1000} s`, {
      hint: `Check its log: ${paths.daemonLog}`,
    })
  }
  const { manager, start: steps, delayMs } = plan
  const installed: BootStart = { manager, start: steps, delayMs }
  writeAtomic(paths.boot, `${JSON.stringify(installed)}\n`)
}

/** Removes what a failed installation left; where that fails, warns in addition to the failure itself. */
async function undoInstall(paths: Paths, plan: BootPlan): Promise<void> {
  try {
    if (existsSync(paths.boot) || (await isInstalled(plan))) await remove(paths, plan)
  } catch (error) {
    printStderr(`Warning: removing the failed installation failed: ${messageOf(error)}`)
  }
  await reviveServices(paths)
}

/**
 * Starts another daemon for services that keep running. Sends a request, as an unused connection would stay open for a
 * while.
 */
async function reviveServices(paths: Paths): Promise<void> {
  if (hasServices(paths)) await (await requireDaemon(paths)).get<Pong>('/v1/ping')
}

async function remove(paths: Paths, plan: BootPlan): Promise<void> {
  await unload(plan)
  for (const file of [plan.file, paths.boot]) useFile(file, () => rmSync(file, { force: true }))
  await cleanUp(plan)
}

function useFile(file: string, use: () => void): void {
  try {
    use()
  } catch (error) {
    throw new LocaldError('PATHS_UNUSABLE', `changing ${file} failed: ${messageOf(error)}`, {
      hint: 'Check the permissions of its folder.',
      cause: error,
    })
  }
}
