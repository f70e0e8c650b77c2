import type { KeysAnswer, OpenAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { showUrl } from '../output/browser.ts'
import { print, printJson } from '../output/terminal.ts'

/** `locald dashboard`: prints a URL that signs one browser in, and opens it. */
export async function dashboard(context: Context): Promise<number> {
  return await openPlace(context, await requireDaemon(context.paths), '/')
}

/** `locald open --dashboard`: opens the page of a service, or without one, the overview. */
export async function openDashboard(context: Context): Promise<number> {
  const daemon = await requireDaemon(context.paths)
  const [service] = context.args.positionals
  if (service === undefined) return await openPlace(context, daemon, '/')
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path: context.cwd, service })
  // Of a project, the first: its page leads to the others.
  return await openPlace(context, daemon, keys[0] === undefined ? '/' : `/service/${keys[0]}`)
}

async function openPlace(context: Context, daemon: Client, place: string): Promise<number> {
  const { url } = await daemon.post<{ readonly url: string }>('/v1/dashboard/token', { place })
  if (context.json) printJson({ url })
  else {
    print(url)
    await showUrl(await daemon.get<OpenAnswer>('/v1/server/opener', { url }))
  }
  return 0
}
