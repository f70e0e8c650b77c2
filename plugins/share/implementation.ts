import { LanShare } from './lan/lan-share.ts'
import type { ShareWay } from './provides.ts'
import { TunnelShare } from './tunnel/tunnel-share.ts'
import type { Way, WayInput } from './way.ts'

/** The ways to share a service; imported by the first share. */
export const ways: Readonly<Record<ShareWay, (input: WayInput) => Promise<Way>>> = {
  lan: input => LanShare.open(input),
  tailscale: input => TunnelShare.open('tailscale', input),
  cloudflared: input => TunnelShare.open('cloudflared', input),
  ngrok: input => TunnelShare.open('ngrok', input),
}
