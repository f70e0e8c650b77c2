import { fstatSync, mkdirSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Api } from './api/server.ts'
import type { Log } from './contract/plugin.ts'
import { LocaldError, messageOf } from './errors.ts'
import { type Kernel, startKernel } from './kernel.ts'
import { daemonLog } from './logs/daemon-log.ts'
import { importBuiltIns } from './plugins/discover.ts'
import { DaemonLocks } from './system/daemon/locks.ts'
import { hasOtherDaemon } from './system/daemon/probe.ts'
import { SocketGuard } from './system/daemon/socket-guard.ts'
import { withSockets } from './system/daemon/socket-support.ts'
import { versionOf } from './system/package.ts'
import { type Paths, settlePaths } from './system/paths.ts'
import { preparePaths, preparePlainRuntime } from './system/prepare-paths.ts'
import { claimRuntime } from './system/runtime-claim.ts'

/** The descriptor on which the starter waits for the result: `{"ok":true}`, or the error. */
const starter = 3

/** The exit code when another daemon runs (EX_TEMPFAIL of sysexits(3)), as the keeper's when the lock is held. */
const isHeld = 75
/** With this argument it is 0: a service manager would restart a job forever that exits with anything else. */
const heldIsOk = '--held-ok'
/** The longest timer: ms. */
const foreverMs = 2 ** 31 - 1

/** Runs the daemon: one per data folder. The process it was started as holds its locks. */
async function main(): Promise<void> {
  const input = { env: process.env }
  const settled = settlePaths(input)
  const locks = new DaemonLocks(join(settled.native, 'locald-keeper'), [settled.lock, settled.runtimeLock])
  if (await hasOtherDaemon(settled)) process.exit(process.argv.includes(heldIsOk) ? 0 : isHeld)
  preparePaths(settled)
  const paths = await withSockets(settled, input)
  preparePlainRuntime(paths)
  claimRuntime(paths.runtime, paths.data)
  const log = daemonLog(paths.daemonLog)
  crashOnBugs(paths, log('daemon'))
  // It exits on request only: pending work, such as a keeper's answer, need not keep Node running.
  setInterval(() => {}, foreverMs)
  const kernel = await startKernel({
    paths,
    env: process.env,
    version: versionOf(),
    builtIn: await importBuiltIns(),
    log,
  })
  let isEnding = false
  const end = () => {
    if (!isEnding) void close(kernel, api, guard, log('daemon'))
    isEnding = true
  }
  const api: Api = await Api.listen(kernel, end, log)
  const guard: SocketGuard = new SocketGuard({
    paths,
    locks,
    listen: async (socket, runtime) => {
      await api.listenOn(socket)
      Object.assign(kernel.place, { socket, runtime })
    },
    restored: async () => kernel.container.optional('processes')?.restore(),
    log: log('daemon'),
  })
  // Services keep running, as when the daemon is killed: `locald server shutdown` stops them.
  const leave = () => void kernel.operations.close(true, () => {}).then(end, end)
  process.on('SIGTERM', leave)
  process.on('SIGINT', leave)
  process.on('SIGHUP', () => {})
  log('daemon').info(`listening on ${paths.socket} (pid ${process.pid})`)
  answerStarter({ ok: true })
}

async function close(kernel: Kernel, api: Api, guard: SocketGuard, log: Log): Promise<void> {
  guard.close(kernel.projects.list().every(({ wanted }) => wanted.size === 0))
  await api.close()
  await kernel.close()
  log.info(`stopped (pid ${process.pid})`)
  process.exit(0)
}

/**
 * Exits on a bug, after which nothing in memory can be trusted. Services keep running, and the next command starts
 * another daemon.
 */
function crashOnBugs({ crash }: Paths, log: Log): void {
  const fail = (error: unknown) => {
    const file = join(crash, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-daemon.txt`)
    try {
      mkdirSync(crash, { recursive: true, mode: 0o700 })
      writeFileSync(file, error instanceof Error ? (error.stack ?? error.message) : String(error), { mode: 0o600 })
      log.error(`internal error, the daemon exits: ${messageOf(error)}; see ${file}`)
    } finally {
      process.exit(70)
    }
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
}

function answerStarter(result: unknown): void {
  try {
    // Without a starter the descriptor may be the lock's.
    if (!fstatSync(starter).isFile()) writeSync(starter, `${JSON.stringify(result)}\n`)
  } catch {
    // Started by hand, or with the machine: no one waits.
  }
}

try {
  await main()
} catch (error) {
  const failure = LocaldError.from(error)
  answerStarter({ ok: false, error: failure.toJSON() })
  console.error(failure.stack)
  process.exit(1)
}
