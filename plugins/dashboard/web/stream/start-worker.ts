/** Starts the shared worker, or finds the one that runs; undefined where the browser has no such workers. */
export function startWorker(): SharedWorker | undefined {
  if (typeof SharedWorker === 'undefined') return undefined
  return new SharedWorker(STREAM_WORKER, { type: 'module', name: 'locald' })
}
