import { BlockList } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

/** An address of this machine in a local network. */
export interface LanAddress {
  /** Name of the interface. */
  readonly network: string
  readonly address: string
  readonly isV6: boolean
}

/** Addresses that no one reaches from the internet: RFC 1918, RFC 3927 section 1.4, RFC 4193 section 3.1. */
const local = new BlockList()
local.addSubnet('10.0.0.0', 8)
local.addSubnet('172.16.0.0', 12)
local.addSubnet('192.168.0.0', 16)
local.addSubnet('169.254.0.0', 16)
local.addSubnet('fc00::', 7, 'ipv6')

/** Interfaces of bridges to containers and virtual machines, of VPNs, and of Apple's peer-to-peer links. */
const inner = /^(?:docker|podman|br-|cni|veth|virbr|lxc|lxd|incus|vmnet|bridge|tun|tap|utun|wg|tailscale|awdl|llw|ap\d)/

/**
 * Returns the addresses at which other devices of local networks reach this machine, IPv4 first. Link-local addresses
 * of IPv6 are not among them, as a URL cannot have their zone in browsers.
 */
export function lanAddresses(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): readonly LanAddress[] {
  const all = Object.entries(interfaces).flatMap(([network, infos = []]) =>
    inner.test(network)
      ? []
      : infos.flatMap(({ address, family, internal }) => {
          const isV6 = family === 'IPv6'
          return internal || !local.check(address, isV6 ? 'ipv6' : 'ipv4') ? [] : [{ network, address, isV6 }]
        }),
  )
  return [...all.filter(({ isV6 }) => !isV6), ...all.filter(({ isV6 }) => isV6)]
}

/** Whether an IPv4 address is one of a local network. */
export function isLocal(address: string): boolean {
  return local.check(address)
}

/** Returns an address as a URL has it. */
export function hostOf({ address, isV6 }: LanAddress): string {
  return isV6 ? `[${address}]` : address
}
