import { removeContainer } from '../calls/containers.ts'
import { engineError, longMs, reasonOf, runEngine, tryEngine } from '../calls/run-engine.ts'
import { hostAlias, labelFlags } from '../names.ts'
import type { Engine } from '../provides.ts'
import type { AccessRequest, Forwarder } from './contract.ts'
import { hasImage, importImage, mountPoint, type TunnelImage } from './image.ts'
import { socketName } from './listener.ts'
import { addressesFor } from './network-address.ts'

/** What a forwarder is started with. */
export interface ForwarderInput {
  readonly request: Omit<AccessRequest, 'service' | 'ports'>
  readonly image: TunnelImage
  /** The socket's folder. */
  readonly folder: string
  /** By which it is known to us. */
  readonly id: string
}

/** Enough for all buffers and for what the kernel holds for them. */
const memory = '128m'

/**
 * Starts a forwarder as this user, and replaces one of the same name; returns its address where containers must be given
 * that. Rejects with ENGINE_FAILED.
 */
export async function startForwarder(
  input: ForwarderInput,
  user: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { request, image, folder } = input
  const { engine, network } = request
  const addresses: (string | undefined)[] = [...(await addressesFor(engine, network, signal)), undefined]
  for (let isRepaired = false; ; ) {
    const [address] = addresses
    const args = runArgs(input, user, address)
    const result = await tryEngine(engine, args, { timeoutMs: longMs, signal })
    if (result.code === 0) return address
    // One of an earlier daemon, or what is left of this attempt.
    await removeForwarder(request)
    signal.throwIfAborted()
    if (address !== undefined && reasonOf(result).includes(address)) addresses.shift()
    else if (isRepaired) throw engineError(engine, 'run', result)
    else if (!(await hasImage(engine, image, signal))) await importImage(engine, image, folder, signal)
    isRepaired = true
  }
}

/** Removes the forwarder, running or not; no error when there is none. Rejects with ENGINE_FAILED. */
export async function removeForwarder({ engine, name }: Pick<Forwarder, 'engine' | 'name'>): Promise<void> {
  const result = await removeContainer(engine, name)
  if (result.code === 0 || /no such container|no container with (?:name|id)/i.test(reasonOf(result))) return
  throw engineError(engine, 'rm', result)
}

/**
 * Returns the users to try in turn. The socket's folder is ours alone: with an engine without privileges root inside is
 * us; with others root without capabilities is not allowed there, and we are ourselves.
 */
export function forwarderUsers({ dialect }: Engine, uid: number, gid: number): readonly string[] {
  const [root, self] = ['0:0', `${uid}:${gid}`]
  if (uid === 0) return [root]
  return dialect === 'podman' ? [root, self] : [self, root]
}

/** Returns what the forwarder itself wrote, for an error message. */
export async function forwarderOutput({ engine, name }: Forwarder): Promise<string> {
  return (await runEngine(engine, ['logs', '--tail', '1', name]).catch(() => '')).trim()
}

function runArgs({ request, image, folder, id }: ForwarderInput, user: string, address: string | undefined): string[] {
  const { engine, name, network, labels } = request
  return [
    ...['run', '--detach', '--pull', 'never', '--name', name, ...labelFlags(labels)],
    ...['--network', network, '--network-alias', hostAlias, ...(address === undefined ? [] : ['--ip', address])],
    ...['--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--security-opt', 'label=disable'],
    ...['--user', user, ...(engine.dialect === 'docker' ? ['--userns', 'host'] : [])],
    ...['--memory', memory, '--pids-limit', '8', '--ulimit', 'nofile=4096:4096'],
    // Without capabilities it may then listen on ports below 1024.
    ...['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0'],
    ...['--mount', mountOf(folder), image.reference, `${mountPoint}/${socketName}`, id],
  ]
}

/** Returns the value of `--mount`, which is a line of CSV. */
function mountOf(folder: string): string {
  const source = `source=${folder}`
  const quoted = /[",]/.test(source) ? `"${source.replaceAll('"', '""')}"` : source
  return `type=bind,${quoted},target=${mountPoint},readonly`
}
