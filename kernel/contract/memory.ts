import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { readonly type: 'minor' | 'major' }) => void

let collect: Collect | undefined

/**
 * Has V8 collect garbage now. `minor`: what was allocated lately, which takes a millisecond; `major`: all of it. For who knows what V8
 * cannot: that large buffers were let go of, or that nothing will be allocated for a while.
 */
export function collectGarbage(type: 'minor' | 'major'): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    const exposed: Collect = runInNewContext('gc')
    collect = exposed
  }
  collect({ type })
}
