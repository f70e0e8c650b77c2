/**
 * Returns a function that makes a value at its first call, and returns the same one to all: what a plugin rarely needs
 * is imported then. A failure is not kept: the next call tries again.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(error => {
      made = undefined
      throw error
    })
    return made
  }
}
