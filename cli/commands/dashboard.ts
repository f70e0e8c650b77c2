import type { KeysAnswer, OpenAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { dashboardScheme } from '../follow/trust-hint.ts'
import { showUrl } from '../output/browser.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'

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
  const scheme = await dashboardScheme(daemon)
  const body = { place, ...(scheme === undefined ? {} : { scheme }), ...(context.json ? {} : { file: true }) }
  const link = await daemon.post<Link>('/v1/dashboard/token', body)
  if (context.json) printJson({ url: link.url })
  else {
    print(link.url)
    if (scheme === 'http') printStderr('Run `locald trust` to open it over HTTPS without a warning.')
    await showUrl(await openingOf(daemon, link))
  }
  return 0
}

/** A URL that signs a browser in, and that of a file that leads to it. */
interface Link {
  readonly url: string
  readonly file?: string
}

/** Opens the file where the browser can read it: other users see the arguments of the browser, and so not the link. */
async function openingOf(daemon: Client, { url, file }: Link): Promise<OpenAnswer> {
  const found = file === undefined ? undefined : await daemon.get<OpenAnswer>('/v1/server/opener', { url: file })
  return found?.argv ? found : await daemon.get<OpenAnswer>('/v1/server/opener', { url })
}
