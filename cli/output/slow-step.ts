import { say } from './terminal.ts'

/** After so long a person wants to know what takes the time, ms. */
const patienceMs = 1000

/** Prints a line on stderr when `work` takes longer than a second. */
export async function reportWhenSlow<T>(doing: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => say(doing), patienceMs)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}
