/** The machine's sleep is found out by steps so long: ms. */
const stepMs = 1000

/**
 * Calls once after so many ms in which the machine was awake; the answer takes that back. Node has no clock for that on macOS (libuv reads
 * mach_continuous_time there, which goes on during sleep), but keepers have: so no step counts for more than its own length.
 */
export function setAwakeTimeout(ms: number, call: () => void, step = stepMs): () => void {
  let left = ms
  let timer: NodeJS.Timeout
  const wait = () => {
    const length = Math.min(left, step)
    timer = setTimeout(() => {
      left -= length
      if (left > 0) wait()
      else call()
    }, length)
  }
  wait()
  return () => clearTimeout(timer)
}
