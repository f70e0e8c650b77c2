import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { OpenAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { need } from '../daemon/client.ts'
import { print, printJson, say } from '../output/terminal.ts'

/** `locald open`: prints the URL and shows it in the browser where there is one. */
export async function open(context: Context): Promise<number> {
  const daemon = await need(context.paths)
  const answer = await daemon.get<OpenAnswer>('/v1/services/open', {
    path: context.cwd,
    service: context.words.names[0],
  })
  if (context.json) printJson(answer)
  else print(answer.url)
  const [program, ...args] = answer.argv ?? []
  if (program !== undefined) await launch(program, args)
  else if (!context.json) say(`Hint: ${answer.hint ?? 'Open it in a browser of your choice.'}`)
  return 0
}

async function launch(program: string, args: readonly string[]): Promise<void> {
  try {
    const browser = spawn(program, args, { detached: true, stdio: 'ignore' })
    await once(browser, 'spawn')
    browser.unref()
  } catch (error) {
    throw new LocaldError('SPAWN_FAILED', `the browser cannot be opened: ${messageOf(error)}`, {
      hint: 'Open the URL yourself.',
      cause: error,
    })
  }
}
