import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { OpenAnswer } from '../../kernel/protocol.ts'
import { printStderr } from './terminal.ts'

/** Shows a URL in the browser; where there is none, prints a hint unless the result is JSON. */
export async function showUrl(answer: OpenAnswer, json = false): Promise<void> {
  const [program, ...args] = answer.argv ?? []
  if (program !== undefined) await launch(program, args)
  else if (!json) printStderr(`Hint: ${answer.hint ?? 'Open it in a browser of your choice.'}`)
}

async function launch(program: string, args: readonly string[]): Promise<void> {
  try {
    const browser = spawn(program, args, { detached: true, stdio: 'ignore' })
    await once(browser, 'spawn')
    browser.unref()
  } catch (error) {
    throw new LocaldError('SPAWN_FAILED', `browser failed to start: ${messageOf(error)}`, {
      hint: 'Open the URL yourself.',
      cause: error,
    })
  }
}
