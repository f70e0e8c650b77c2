import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The daemon's memory. */
export interface Memory {
  /**
   * Says that much was done and is over: when it stays quiet, what is free is given back. `left` is what it left behind: garbage of
   * JavaScript, or besides that what native objects held, such as hundreds of connections.
   */
  rest(left: 'garbage' | 'native'): void
}

type Collect = (options: {
  readonly type: 'minor' | 'major'
  readonly execution: 'sync' | 'async'
}) => Promise<void> | undefined

let collect: Collect | undefined

/**
 * Has V8 collect garbage. `minor`: what was allocated lately, before it returns, which takes a millisecond; `major`: all of it, in a task of
 * its own, as from within another it keeps what native objects hold, such as the sessions of TLS. For who knows what V8 cannot: that large
 * buffers were let go of, or that nothing will be allocated for a while.
 */
export async function collectGarbage(type: 'minor' | 'major'): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    const exposed: Collect = runInNewContext('gc')
    collect = exposed
  }
  await collect({ type, execution: type === 'minor' ? 'sync' : 'async' })
}
