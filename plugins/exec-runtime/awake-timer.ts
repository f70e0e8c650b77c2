/** Sleep of the machine is detected with this resolution: ms. */
const stepMs = 1000

/**
 * Calls once after a time in which the machine was awake; returns a function that cancels it. Node has no clock for
 * that on macOS (libuv reads mach_continuous_time there, which includes sleep), but keepers have: so no step counts for
 * more than its own length.
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
