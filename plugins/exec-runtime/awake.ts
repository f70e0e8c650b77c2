/** A timer that comes so much too late slept with the machine, or its process was stopped: ms. */
const sleptMs = 1000

/**
 * Calls once after so many ms; the answer takes that back. Time in which the machine slept does not count: where it did, all of it is waited
 * for again. Node's own timers are over at the wake-up on macOS, as libuv reads mach_continuous_time there; a keeper's are not.
 */
export function afterAwake(ms: number, call: () => void): () => void {
  const due = performance.now() + ms
  let takeBack: () => void
  const timer = setTimeout(() => {
    if (performance.now() - due > sleptMs) takeBack = afterAwake(ms, call)
    else call()
  }, ms)
  takeBack = () => clearTimeout(timer)
  return () => takeBack()
}
