import { printStderr } from './terminal.ts'

/** After this time a person wants to know what takes so long, ms. */
const patienceMs = 1000

/** Prints a line on stderr when `work` takes longer than a second. */
export async function reportWhenSlow<T>(doing: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => printStderr(doing), patienceMs)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}
