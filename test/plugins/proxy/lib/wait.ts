/** Timeout of each wait in these tests, ms. */
export const deadline = 10_000

/** Waits for a condition that some event makes true. */
export async function eventually(fits: () => boolean, what: string): Promise<void> {
  const end = performance.now() + deadline
  while (!fits()) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Returns a promise, and the function that resolves it. */
export function latch(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const promise = new Promise<void>(resolve => {
    open = resolve
  })
  return { promise, open }
}

/** Returns the soft limit of open files. */
export function openFiles(): number {
  const report: unknown = process.report.getReport()
  const text = JSON.stringify(report)
  return Number(/"open_files":\{"soft":"?(\d+)/.exec(text)?.[1] ?? 0)
}
