import { collectGarbage } from '../../../kernel/contract/plugin.ts'

/** V8 lets 32 MB and more of buffers become garbage before it collects; after so much it is asked to: bytes. */
const most = 8 * 1024 * 1024

let read = 0

/** Says that so many bytes of a large body were read into buffers of their own, which are soon garbage. */
export function spent(bytes: number): void {
  read += bytes
  if (read < most) return
  read = 0
  void collectGarbage('minor')
}
