/** The exit code of what a person has not agreed to. */
export const declined = 1

/** Asks on stderr for a yes; anything else, and the end of input, is a no. */
export async function agrees(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // Without an answer: Ctrl-C or Ctrl-D.
  const ended = new Promise<string>(resolve => lines.once('close', () => resolve('')))
  try {
    return /^y(?:es)?$/i.test((await Promise.race([lines.question(`${question} [y/N] `), ended])).trim())
  } finally {
    lines.close()
  }
}
