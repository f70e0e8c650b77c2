import type { ExchangeDetail } from '../../plugins/proxy/provides.ts'
import type { Context } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { formatExchange } from '../output/exchange.ts'
import { print, printJson } from '../output/terminal.ts'

/** `locald requests show`. */
export async function requestsShow({ args, json, paths }: Context): Promise<number> {
  const [id = ''] = args.positionals
  const daemon = await requireDaemon(paths)
  const reveal = args.flags.has('reveal')
  const path = `/v1/requests/${encodeURIComponent(id)}`
  if (args.flags.has('curl'))
    print((await daemon.get<{ text: string }>(`${path}/snippet`, { as: 'curl', reveal })).text)
  else if (args.flags.has('har')) printJson(await daemon.get('/v1/requests/har', { id, reveal }))
  else {
    const detail = await daemon.get<ExchangeDetail>(path, { reveal })
    if (json) printJson(detail)
    else print(formatExchange(detail))
  }
  return 0
}
