import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { OpenAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

/** `locald open`: prints the URL and shows it in the browser where there is one. */
export async function open(context: Context): Promise<number> {
  const daemon = await requireDaemon(context.paths)
  const answer = await daemon.get<OpenAnswer>('/v1/services/open', {
    path: context.cwd,
    service: context.args.positionals[0],
  })
  if (context.json) printJson(answer)
  else print(answer.url)
  const [program, ...args] = answer.argv ?? []
  if (program !== undefined) await launch(program, args)
  else if (!context.json) printStderr(`Hint: ${answer.hint ?? 'Open it in a browser of your choice.'}`)
  return 0
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
