import type { Interface } from 'node:readline/promises'
import { sanitizeLine } from './sanitize.ts'
import { printStderr } from './terminal.ts'

/** The exit code of a command that the user did not confirm. */
export const declinedCode = 1

/**
 * Asks for a text on stderr; Enter takes the default. The question is repeated while `check` returns what is wrong.
 */
export type Ask = (question: string, preset: string, check: (text: string) => string | undefined) => Promise<string>

/**
 * Asks on stderr for a yes; anything else, and the end of input, counts as no. With `isPreset` Enter alone counts as
 * yes.
 */
export async function confirm(question: string, isPreset = false): Promise<boolean> {
  const answer = await withLines(read => read(`${sanitizeLine(question)} ${isPreset ? '[Y/n]' : '[y/N]'} `))
  return (isPreset && answer?.trim() === '') || /^y(?:es)?$/i.test(answer?.trim() ?? '')
}

/** Returns what a dialogue of several questions returns; undefined where the user leaves it: Ctrl-C or Ctrl-D. */
export async function converse<T>(dialogue: (ask: Ask) => Promise<T>): Promise<T | undefined> {
  return await withLines(async read => {
    const ask: Ask = async (question, preset, check) => {
      for (;;) {
        const text = (await read(sanitizeLine(`${question} [${preset}]: `))).trim() || preset
        const fault = check(text)
        if (fault === undefined) return text
        printStderr(fault)
      }
    }
    return await dialogue(ask)
  })
}

/** Reads lines until the function returns. Undefined where input is over before. */
async function withLines<T>(use: (read: (prompt: string) => Promise<string>) => Promise<T>): Promise<T | undefined> {
  const { createInterface } = await import('node:readline/promises')
  const lines: Interface = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new Promise<undefined>(resolve => lines.once('close', () => resolve(undefined)))
  try {
    return await Promise.race([use(prompt => lines.question(prompt)), closed])
  } finally {
    lines.close()
  }
}
