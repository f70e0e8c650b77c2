import { join } from 'node:path'
import { isWithin, realPathIfAny } from '../../../kernel/contract/plugin.ts'
import { readJson } from '../../lib/files.ts'
import { fieldOf } from '../../lib/json.ts'
import type { EngineMachine } from './machine.ts'

/** The programs that run an engine in a VM. */
export type VmKind = 'docker-desktop' | 'orbstack' | 'colima' | 'rancher' | 'lima' | 'podman-machine'

/** The folders that a VM shows its containers by default; undefined: all. */
function defaultFolders(vm: VmKind, { os, home }: EngineMachine): readonly string[] | undefined {
  if (vm === 'orbstack') return undefined
  if (vm === 'docker-desktop') {
    return os === 'darwin' ? ['/Users', '/Volumes', '/private', '/tmp', '/var/folders'] : [home]
  }
  if (vm === 'podman-machine') return os === 'darwin' ? ['/Users', '/private', '/var/folders'] : [home]
  if (vm === 'rancher') return [home, '/tmp/rancher-desktop', '/Volumes', '/var/folders', '/private/var/folders']
  return [home, `/tmp/${vm}`]
}

/** Returns the folders in Docker Desktop's own settings, where they were changed. */
async function configuredFolders({ os, home }: EngineMachine): Promise<readonly string[] | undefined> {
  const folder = os === 'darwin' ? 'Library/Group Containers/group.com.docker' : '.docker/desktop'
  for (const name of ['settings-store.json', 'settings.json']) {
    const settings = await readJson(join(home, folder, name))
    const found = fieldOf(settings, 'FilesharingDirectories') ?? fieldOf(settings, 'filesharingDirectories')
    if (Array.isArray(found)) return found.filter((each): each is string => typeof each === 'string')
  }
  return undefined
}

/** Returns whether the containers of a VM see a folder of this machine. An empty folder is what they get otherwise. */
export async function isSharedBy(vm: VmKind, machine: EngineMachine, path: string): Promise<boolean> {
  const configured = vm === 'docker-desktop' ? await configuredFolders(machine) : undefined
  const folders = configured ?? defaultFolders(vm, machine)
  if (folders === undefined) return true
  const paths = [path, realPathIfAny(path) ?? path]
  return folders.some(folder => paths.every(each => isWithin(each, folder)))
}
