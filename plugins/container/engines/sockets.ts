import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { canAccess } from '../../lib/files.ts'
import type { EngineMachine } from './machine.ts'
import type { VmKind } from './shared-folders.ts'

/** A program with an engine, known by the socket of that. */
export interface EngineSocket {
  readonly kind: VmKind
  readonly product: string
  readonly socket: string
  /** The command that starts it. */
  readonly start: string
}

const products: Readonly<Record<VmKind, string>> = {
  'docker-desktop': 'Docker Desktop',
  orbstack: 'OrbStack',
  colima: 'colima',
  rancher: 'Rancher Desktop',
  lima: 'Lima',
  'podman-machine': 'podman machine',
}

/** Returns the sockets of programs that run an engine for this user, whether they exist or not. */
async function knownSockets({ os, home, env }: EngineMachine): Promise<readonly EngineSocket[]> {
  const colima = [join(home, '.colima'), join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'colima')]
  const limaHome = env['LIMA_HOME'] || join(home, '.lima')
  const instances = await readdir(limaHome).catch(() => [])
  const at = (kind: VmKind, socket: string, start: string) => ({ kind, product: products[kind], socket, start })
  const app = (name: string) => (os === 'darwin' ? `open -a ${name}` : 'systemctl --user start docker-desktop')
  return [
    at('orbstack', join(home, '.orbstack/run/docker.sock'), 'orb start'),
    at('docker-desktop', join(home, os === 'darwin' ? '.docker/run' : '.docker/desktop', 'docker.sock'), app('Docker')),
    ...colima.map(folder => at('colima', join(folder, 'default/docker.sock'), 'colima start')),
    at('rancher', join(home, '.rd/docker.sock'), 'rdctl start'),
    ...instances
      .filter(name => !name.startsWith('_') && !name.startsWith('.'))
      .map(name => at('lima', join(limaHome, name, 'sock/docker.sock'), `limactl start ${name}`)),
    at('podman-machine', join(home, '.local/share/containers/podman/machine/podman.sock'), 'podman machine start'),
  ]
}

/** Returns those of the sockets that exist. */
export async function findSockets(machine: EngineMachine): Promise<readonly EngineSocket[]> {
  const all = await knownSockets(machine)
  const found = await Promise.all(all.map(({ socket }) => canAccess(socket)))
  return all.filter((_, index) => found[index])
}

/** Returns the program that an engine's socket belongs to; undefined for docker's own on this machine. */
export async function socketOwner(machine: EngineMachine, socket: string): Promise<EngineSocket | undefined> {
  const all = await knownSockets(machine)
  return all.find(each => each.socket === socket) ?? all.find(each => socket.startsWith(folderOf(each)))
}

/** Returns the folder of a program's sockets, as of `.colima` with several profiles. */
function folderOf({ kind, socket }: EngineSocket): string {
  const levels = kind === 'orbstack' || kind === 'docker-desktop' || kind === 'colima' ? 2 : 1
  return `${socket.split('/').slice(0, -levels).join('/')}/`
}
