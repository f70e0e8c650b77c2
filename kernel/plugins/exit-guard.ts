import { AsyncLocalStorage } from 'node:async_hooks'

const guarded = new AsyncLocalStorage<true>()
let running = 0
let { exit } = process

/**
 * Runs foreign code that must not exit the process: `process.exit` throws in it, also after an `await` and in a module
 * that it imports. All other code can still exit. Timers and the like that the code leaves behind are not guarded once
 * this has resolved.
 */
export async function withExitGuard<T>(run: () => T | Promise<T>): Promise<T> {
  if (running++ === 0) {
    exit = process.exit
    process.exit = guardedExit
  }
  try {
    return await guarded.run(true, run)
  } finally {
    if (--running === 0) end()
  }
}

function end(): void {
  process.exit = exit
  // Else Node 20 follows every promise of the process from now on, which costs CPU.
  guarded.disable()
}

function guardedExit(code?: Parameters<typeof process.exit>[0]): never {
  if (guarded.getStore() === undefined) return exit.call(process, code)
  throw new Error('the plugin called process.exit()')
}
