/** The daemon's memory: plugins report what they did, the kernel decides what is collected and when. */
export interface Memory {
  /**
   * Reports that much was done and is over: when it stays quiet, free memory is returned to the system. `left` is what it left behind:
   * garbage of JavaScript, or also what native objects held, such as hundreds of connections.
   */
  rest(left: 'garbage' | 'native'): void
  /** Reports that buffers of so many bytes are no longer needed: V8 does not count them as its own. */
  discarded(bytes: number): void
}
