/** The daemon's memory: plugins report what they did, the kernel decides what is collected and when. */
export interface Memory {
  /**
   * Reports the end of much work: unless more follows, the kernel returns free memory to the system. `left`: whether
   * the work left only garbage in the JavaScript heap, or native memory as well, such as that of hundreds of
   * connections.
   */
  rest(left: 'garbage' | 'native'): void
  /** Reports that buffers of this many bytes were discarded: V8 does not count them towards its heap. */
  discarded(bytes: number): void
}
