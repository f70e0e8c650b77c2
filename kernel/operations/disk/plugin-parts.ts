import type { DiskPart, ReadDisk } from '../../contract/plugin.ts'

/** Returns what each plugin has on disk; undefined for one that fails, or is late. Never rejects. */
export async function readParts(
  plugins: readonly ReadDisk[],
  timeoutMs: number,
): Promise<readonly (readonly DiskPart[] | undefined)[]> {
  const signal = AbortSignal.timeout(timeoutMs)
  const late = new Promise<undefined>(resolve => signal.addEventListener('abort', () => resolve(undefined)))
  return await Promise.all(
    plugins.map(async read => {
      try {
        return await Promise.race([read(signal), late])
      } catch {
        return undefined
      }
    }),
  )
}
