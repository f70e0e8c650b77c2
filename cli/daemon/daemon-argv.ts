import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { Argv } from '../../kernel/protocol.ts'
import { builtFolder, packageFolder } from '../../kernel/system/package.ts'
import { compileNative, type Paths } from '../../kernel/system/paths.ts'
import { stablePath } from './stable-path.ts'

/** Makes the keeper and the daemon exit with 0 where another process holds the lock. */
const heldOkFlag = '--held-ok'
/**
 * Most of what the daemon allocates is short-lived: a smaller young generation (MB; V8's own limit is 16) needs 20 MB
 * less. Without the memory reducer, which collects all some seconds after the last work, 60 to 80 ms of CPU, an idle
 * daemon does nothing. Young objects are collected by one thread in a third of the time. The marking of cppgc's objects
 * by another thread crashed a Node 20 under load ("Check failed: concurrent_marking_handle_"); later ones do not do it.
 */
const nodeFlags = [
  '--max-semi-space-size=4',
  '--no-memory-reducer',
  '--no-parallel-scavenge',
  '--no-cppheap-concurrent-marking',
]

/** Returns the daemon's command line. */
export function daemonArgv(paths: Paths): Argv {
  const daemon = join(builtFolder, 'kernel', 'daemon.js')
  const keeper = findKeeper(paths)
  const locked = [keeper, 'lock', paths.runtimeLock, '--', process.execPath, ...nodeFlags, daemon]
  return [keeper, 'lock', paths.lock, '--', ...locked]
}

/**
 * Returns the daemon's command line for a service manager, by paths that stay when a new version is installed. It exits
 * with 0 where another daemon runs, so that no other is started: launchd knows no other code that means so.
 */
export function managedArgv(paths: Paths): Argv {
  const stable = (path: string) => stablePath(path, process.env['PATH'])
  const keeper = stable(findKeeper(paths))
  const daemon = [stable(process.execPath), ...nodeFlags, stable(join(builtFolder, 'kernel', 'daemon.js')), heldOkFlag]
  return [keeper, 'lock', heldOkFlag, paths.lock, '--', keeper, 'lock', heldOkFlag, paths.runtimeLock, '--', ...daemon]
}

/** Returns the keeper; compiles it where no package brought one and there is a compiler. */
export function findKeeper(paths: Paths): string {
  const keeper = join(paths.native, 'locald-keeper')
  if (isProgram(keeper)) return keeper
  const compiled = process.env['LOCALD_NATIVE'] === undefined ? compileNative(paths.data) : undefined
  if (compiled !== undefined) return join(compiled, 'locald-keeper')
  throw keeperMissing(keeper, 'is missing or not executable')
}

export function keeperMissing(keeper: string, why: string): LocaldError {
  return new LocaldError('KEEPER_MISSING', `${keeper} ${why}`, {
    hint: isCheckout()
      ? `Run \`npm run build\` in ${packageFolder} to see why.`
      : 'Install locald again with its optional packages: `npm install --global --include=optional locald`.',
  })
}

/** Whether this is a checkout: a published package has no sources of the build scripts. */
function isCheckout(): boolean {
  return existsSync(join(packageFolder, 'scripts', 'build-native.ts'))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
