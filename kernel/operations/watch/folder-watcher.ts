import { watch } from 'node:fs'
import type { OpenFolder } from '../../contract/services/folder-watch.ts'

/** Changes of one file within this time are reported once; listeners compare later than that. ms */
const sameMs = 50

/**
 * Opens one watch of the system's for each folder, however many files it has. A log that is written there all the time
 * costs little.
 */
export const openFolder: OpenFolder = (folder, _reach, changed, failed) => {
  let last: string | null = null
  let lastAt = 0
  const watcher = watch(folder, { persistent: false }, (event, name) => {
    const now = performance.now()
    if (event === 'change' && name !== null && name === last && now - lastAt < sameMs) return
    last = event === 'change' ? name : null
    lastAt = now
    changed(event, name)
  })
  watcher.on('error', failed)
  return { deep: false, close: () => watcher.close() }
}
