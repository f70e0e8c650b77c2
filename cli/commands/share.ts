import { LocaldError } from '../../kernel/errors.ts'
import type { KeysAnswer } from '../../kernel/protocol.ts'
import type { ShareBody, ShareEvent, SharesAnswer, ShareView, ShareWay } from '../../plugins/share/provides.ts'
import { flagValue } from '../args/parse.ts'
import { parsePort, readDuration } from '../args/values.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon, requireDaemon } from '../daemon/client.ts'
import { interruptedCode } from '../follow/keys.ts'
import { dayTime } from '../output/day-time.ts'
import { table } from '../output/table.ts'
import { painter, print, printJson, printStderr } from '../output/terminal.ts'

/** Who can open the URL of each way. */
const audiences: Readonly<Record<ShareWay, string>> = {
  lan: 'everyone in the local network',
  tailscale: 'the devices of your tailnet',
  cloudflared: 'everyone on the internet who has the URL',
  ngrok: 'everyone on the internet who has the URL',
}

const shareWays = ['lan', 'tailscale', 'cloudflared', 'ngrok'] as const satisfies readonly ShareWay[]

/** `locald share`. */
export async function share(context: Context): Promise<number> {
  const { flags, positionals } = context.args
  if (flags.has('stop')) {
    const other = [...shareWays, 'for', 'port', 'detach'].find(flag => flags.has(flag))
    if (other === undefined) return await stopShares(context)
    throw new LocaldError('USAGE', `--stop and --${other} cannot be combined`, {
      hint: 'Run `locald share --stop SERVICE`: it stops all shares of it.',
    })
  }
  const [service] = positionals
  const [via, ...others] = shareWays.filter(way => flags.has(way))
  if (service === undefined && via === undefined) return await listShares(context)
  if (service === undefined)
    throw new LocaldError('USAGE', 'no service is named', { hint: `Run \`locald share SERVICE --${via}\`.` })
  if (via === undefined || others.length > 0) {
    const flagNames = shareWays.map(way => `--${way}`).join(', ')
    throw new LocaldError('USAGE', `${via === undefined ? 'no' : 'more than one'} way to share ${service} is given`, {
      hint: `Use one of ${flagNames}: see \`locald share --help\`.`,
    })
  }
  const daemon = await requireDaemon(context.paths)
  return await begin(context, daemon, { key: await keyOf(context, daemon, service), via, ...bodyOf(context) }, service)
}

function bodyOf({ args }: Context): Omit<ShareBody, 'key' | 'via'> {
  const port = flagValue(args, 'port')
  const time = flagValue(args, 'for')
  return {
    ...(port === undefined ? {} : { port: parseOwnPort(port) }),
    ...(time === undefined ? {} : { forMs: parseTime(time) }),
    ...(args.flags.has('detach') ? { detach: true } : {}),
  }
}

function parseOwnPort(text: string): number {
  const port = parsePort('--port', text)
  if (port > 0) return port
  throw new LocaldError('USAGE', '--port must be from 1 to 65535', { hint: 'Use for example --port 8080.' })
}

function parseTime(text: string): number {
  const ms = readDuration(text)
  if (ms !== undefined) return ms
  throw new LocaldError('USAGE', `--for must be a time up to 20d, not '${text}'`, {
    hint: 'Use for example `--for 1h`.',
  })
}

async function keyOf({ cwd }: Context, daemon: Client, service: string): Promise<string> {
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path: cwd, service })
  const [key, ...others] = keys
  if (key !== undefined && others.length === 0) return key
  throw new LocaldError('USAGE', `${service} is not one service`, {
    hint: 'Run `locald share` for one service at a time.',
  })
}

/** Shares until Ctrl-C, or only begins to. @param name the service, as the user names it from this folder */
async function begin({ json }: Context, daemon: Client, body: ShareBody, name: string): Promise<number> {
  const stream = daemon.stream<ShareEvent>({ method: 'POST', path: '/v1/shares', body, doing: 'sharing the service' })
  let isInterrupted = false
  const stop = (): void => {
    isInterrupted = true
    stream.close()
  }
  process.once('SIGINT', stop).once('SIGTERM', stop).once('SIGHUP', stop)
  try {
    for await (const events of stream.batches) {
      for (const event of events) {
        if (json) printJson(event.event === 'share' ? event.share : { stopped: event.reason })
        else if (event.event === 'share') await printShare(event, name)
        else printStderr(`Not shared any more: ${event.reason}`)
      }
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop)
  }
  return isInterrupted ? interruptedCode : 0
}

async function printShare({ share, notes }: Extract<ShareEvent, { event: 'share' }>, name: string): Promise<void> {
  const { via, urls, until, detached, key } = share
  const end = until === null ? '' : ` until ${dayTime(new Date(until))}`
  print(`${key} is shared with ${audiences[via]}${end}`)
  for (const { url, network } of urls) print(`  ${url}${network === null ? '' : `  (${network})`}`)
  for (const note of notes) printStderr(`Warning: ${note}`)
  const [first] = urls
  if (process.stdout.isTTY && first !== undefined) print(await codeOf(first.url))
  printStderr(
    detached
      ? `Run \`locald share --stop ${name}\` to stop it; it also stops with the daemon.`
      : 'Press Ctrl-C to stop it.',
  )
  if (via === 'lan') printStderr('Over plain HTTP, browsers refuse features such as the camera and service workers.')
}

/** Returns a QR code of half blocks, for a camera. */
async function codeOf(url: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr')
  return renderUnicodeCompact(url)
}

async function listShares({ paths, json }: Context): Promise<number> {
  const { shares } = await readShares(await findDaemon(paths))
  if (json) printJson({ shares })
  else if (shares.length === 0) print('No service is shared. Run `locald share SERVICE --lan` to share one.')
  else print(table(['SERVICE', 'VIA', 'URL', 'UNTIL'], shares.flatMap(rowsOf), painter(process.stdout)))
  return 0
}

async function readShares(daemon: Client | undefined): Promise<SharesAnswer> {
  return (await daemon?.get<SharesAnswer>('/v1/shares')) ?? { shares: [] }
}

function rowsOf({ key, via, urls, until, detached }: ShareView) {
  const end = until === null ? (detached ? 'stopped' : 'Ctrl-C') : dayTime(new Date(until))
  const rows = urls.length === 0 ? [{ url: '-' }] : urls
  return rows.map(({ url }, index) => ({
    cells: (index === 0 ? [key, via, url, end] : ['', '', url, '']).map(text => ({ text })),
  }))
}

async function stopShares(context: Context): Promise<number> {
  const [service] = context.args.positionals
  const daemon = await findDaemon(context.paths)
  const keys = service === undefined || daemon === undefined ? undefined : [await keyOf(context, daemon, service)]
  const none: SharesAnswer = { shares: [] }
  const { shares } = (await daemon?.post<SharesAnswer>('/v1/shares/stop', keys === undefined ? {} : { keys })) ?? none
  if (context.json) printJson({ shares })
  else if (shares.length === 0) print(service === undefined ? 'No service is shared.' : `${service} is not shared.`)
  else for (const { key, via } of shares) print(`${key} is not shared by ${via} any more`)
  return 0
}
