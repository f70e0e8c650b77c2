import { fstatSync } from 'node:fs'
import { loadNativeModule } from '../../kernel/system/native-module.ts'
import type { Paths } from '../../kernel/system/paths.ts'

const intervalMs = 250
const stdout = 1

/**
 * Exits when the reader of stdout has closed its pipe, as in `| head -1`, without waiting for the next
 * write to fail. Returns a function that stops watching.
 */
export function exitWithReader({ native }: Pick<Paths, 'native'>): () => void {
  if (process.stdout.isTTY === true || !isPipe()) return () => {}
  const module = loadNativeModule(native)
  const timer = setInterval(() => {
    if (module.isUnread(stdout)) process.exit()
  }, intervalMs).unref()
  return () => clearInterval(timer)
}

function isPipe(): boolean {
  try {
    const stat = fstatSync(stdout)
    return stat.isFIFO() || stat.isSocket()
  } catch {
    return false
  }
}
