import { parseJson, textOf } from '../../lib/json.ts'
import type { ShareWay } from '../provides.ts'

/** A program that makes a port of this machine's loopback reachable elsewhere, as long as it runs. */
export interface TunnelProgram {
  readonly name: Exclude<ShareWay, 'lan'>
  /** How to install it, a sentence. */
  readonly install: string
  /** Returns its words for a port on which HTTP is served. @param publicPort of the URL, where it can be chosen */
  words(port: number, publicPort: number): readonly string[]
  /** Reads a line of its output: the URL, or why there is none. */
  read(line: string): { readonly url: string } | { readonly failure: string } | undefined
}

/**
 * Without `--bg`, `tailscale serve` serves as long as it runs; with it, tailscaled would go on after a crash and a
 * reboot (tailscale: cmd/tailscale/cli/serve_v2.go). It prints the URL after "Available within your tailnet:".
 */
const tailscale: TunnelProgram = {
  name: 'tailscale',
  install: 'Install Tailscale: https://tailscale.com/download.',
  words: (port, publicPort) => ['serve', '--yes', `--https=${publicPort}`, `http://127.0.0.1:${port}`],
  read(line) {
    const [url] = /^https:\/\/[a-z0-9.-]+\.ts\.net(?::\d+)?(?=\/?\s*$)/i.exec(line.trim()) ?? []
    if (url !== undefined) return { url }
    // It waits until the user has opened the page.
    const [page] = /https:\/\/login\.tailscale\.com\/\S+/.exec(line) ?? []
    if (page !== undefined) return { failure: `your tailnet does not allow it yet: open ${page}` }
    return undefined
  },
}

/**
 * A quick tunnel, for which no account is needed (cloudflared: cmd/cloudflared/tunnel/quick_tunnel.go). An empty
 * configuration: with the user's own, quick tunnels are refused.
 */
const cloudflared: TunnelProgram = {
  name: 'cloudflared',
  install:
    'Install cloudflared: https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/.',
  words: port => [
    ...['tunnel', '--config', '/dev/null', '--no-autoupdate', '--grace-period', '1s'],
    ...['--url', `http://127.0.0.1:${port}`],
  ],
  read(line) {
    const [url] = /https:\/\/(?!api\.)[a-z0-9-]+\.trycloudflare\.com/i.exec(line) ?? []
    return url === undefined ? undefined : { url }
  },
}

/** With `--log-format json`, a line with `"msg":"started tunnel"` has the URL (https://ngrok.com/docs/agent/cli/). */
const ngrok: TunnelProgram = {
  name: 'ngrok',
  install: 'Install ngrok: https://ngrok.com/download.',
  words: port => ['http', `http://127.0.0.1:${port}`, '--log', 'stdout', '--log-format', 'json'],
  read(line) {
    const entry = parseJson(line)
    const url = textOf(entry, 'url')
    if (textOf(entry, 'msg') === 'started tunnel' && url?.startsWith('https://') === true) return { url }
    const plain = /^ERROR:\s+(\S.*)/.exec(line)?.[1]
    return plain === undefined ? undefined : { failure: plain }
  },
}

export const tunnelPrograms: Readonly<Record<TunnelProgram['name'], TunnelProgram>> = { tailscale, cloudflared, ngrok }
