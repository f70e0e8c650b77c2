/** The exit code of a command that the user did not confirm. */
export const declinedCode = 1

/** Asks on stderr for a yes; anything else, and the end of input, counts as no. */
export async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // Without an answer: Ctrl-C or Ctrl-D.
  const closed = new Promise<string>(resolve => lines.once('close', () => resolve('')))
  try {
    return /^y(?:es)?$/i.test((await Promise.race([lines.question(`${question} [y/N] `), closed])).trim())
  } finally {
    lines.close()
  }
}
