import type { Socket } from 'node:net'
import type { Argv, BootStart } from '../../kernel/protocol.ts'
import { type FileShape, hasShape } from '../../kernel/system/file-shape.ts'
import { readText } from '../../kernel/system/files.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { reportWhenSlow } from '../output/slow-step.ts'
import { printStderr } from '../output/terminal.ts'
import { wakeDaemon } from './connect.ts'

/** Between two checks for the daemon, ms. */
const stepMs = 20
/** Between two requests, ms: launchd ignores one while the last daemon is still exiting. */
const askMs = 1000

/**
 * The release of macOS since which quitting an app stops all that it has started, and what that has started
 * (tmux/tmux#5465).
 */
const stopsWithApp = 27

/** What the machine runs, and how long the daemon may take until it listens, ms. */
export interface ManagedLaunch {
  readonly run: () => Argv
  readonly limitMs: number
}

/**
 * Makes the machine's service manager start the daemon: after `locald server install`, or where it would otherwise stop
 * with an app. Undefined where neither applies, or the service manager does not.
 */
export async function startManaged(
  paths: Paths,
  { run, limitMs }: ManagedLaunch,
  find: () => Promise<Socket | undefined>,
): Promise<Socket | undefined> {
  const installed = readInstalled(paths)
  const socket = installed === undefined ? undefined : await startAsInstalled(installed, paths, find)
  if (socket !== undefined || paths.platform !== 'darwin' || paths.release < stopsWithApp) return socket
  const { startAsJob } = await import('./launch-job.ts')
  return await startAsJob({ run: run(), paths, limitMs }, find)
}

/**
 * Waits for as long as the service manager may hold back a start: launchd starts a job at most every 10 s ("Service
 * only ran for 3 seconds. Pushing respawn out by 7 seconds.", launchd.plist(5) ThrottleInterval). The start without the
 * manager waits for a daemon that the manager has started by then.
 */
async function startAsInstalled(
  installed: BootStart,
  paths: Paths,
  find: () => Promise<Socket | undefined>,
): Promise<Socket | undefined> {
  const { manager, delayMs } = installed
  const { isAsked, socket } = await startThroughManager(installed, { paths, find, limitMs: delayMs })
  if (isAsked && socket === undefined) {
    printStderr(
      `Warning: ${manager} did not start the daemon within ${delayMs / 1000} s; starting it without ${manager}`,
    )
  }
  return socket
}

/** How to find the daemon, and for how long to try, ms. */
export interface StartWait {
  readonly paths: Paths
  readonly find: () => Promise<Socket | undefined>
  readonly limitMs: number
}

/**
 * Makes a service manager start the daemon, and waits for its socket. `isAsked` is false, after a warning, where it
 * refuses.
 */
export async function startThroughManager(
  installed: BootStart,
  { paths, find, limitMs }: StartWait,
): Promise<{ readonly isAsked: boolean; readonly socket?: Socket }> {
  const { tryStart } = await import('./service-manager.ts')
  const deadline = performance.now() + limitMs
  const wait = async () => {
    for (let asked = -askMs; performance.now() < deadline; await new Promise(resolve => setTimeout(resolve, stepMs))) {
      if (performance.now() - asked >= askMs) {
        if (!(await tryStart(installed))) return { isAsked: false }
        wakeDaemon(paths)
        asked = performance.now()
      }
      const socket = await find()
      if (socket !== undefined) return { isAsked: true, socket }
    }
    return { isAsked: true }
  }
  return await reportWhenSlow(`Waiting for ${installed.manager} to start the daemon`, wait)
}

const texts = { type: 'array', items: { type: 'string' } } as const
const codes = { type: 'array', items: { type: 'integer' } } as const
const bootShape: FileShape<BootStart> = {
  schema: {
    type: 'object',
    required: ['manager', 'start', 'delayMs'],
    properties: {
      manager: { type: 'string' },
      start: {
        type: 'array',
        items: {
          type: 'object',
          required: ['argv'],
          properties: { argv: texts, successCodes: codes, retryCodes: codes },
        },
      },
      delayMs: { type: 'number' },
    },
  },
}

/** Reads `paths.boot`; undefined where the machine does not start the daemon. */
function readInstalled({ boot }: Paths): BootStart | undefined {
  try {
    const installed: unknown = JSON.parse(readText(boot))
    return hasShape(installed, bootShape) && installed.start.length > 0 ? installed : undefined
  } catch {
    return undefined
  }
}
