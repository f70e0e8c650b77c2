import type { OpenAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { showUrl } from '../output/browser.ts'
import { print, printJson } from '../output/terminal.ts'

/** `locald open`: prints the URL and shows it in the browser where there is one. */
export async function open(context: Context): Promise<number> {
  if (context.args.flags.has('dashboard')) return await (await import('./dashboard.ts')).openDashboard(context)
  const daemon = await requireDaemon(context.paths)
  const answer = await daemon.get<OpenAnswer>('/v1/services/open', {
    path: context.cwd,
    service: context.args.positionals[0],
  })
  if (context.json) printJson(answer)
  else print(answer.url)
  await showUrl(answer, context.json)
  return 0
}
