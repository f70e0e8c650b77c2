import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import type { TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { entryOf, isTrue, itemsOf, type Node, type Place, textOf } from '../node.ts'
import { type ComposeProject, pathFrom } from '../project.ts'
import type { KeyReader } from '../reader.ts'

/** Flags of a mount that mean nothing any more, or what locald does anyway. */
const plainFlags = ['rw', 'cached', 'delegated', 'consistent', 'default']
/** Flags that locald passes to the engine. */
const passedFlags = ['ro', 'z', 'Z', 'U', 'nocopy']

/** Sockets of engines, by which a container controls all others. */
const engineSocket = /\/(?:docker|podman)\.sock$/

/** Translates `volumes`, `tmpfs`, `secrets` and `configs`. */
export function translateMounts(service: KeyReader, project: ComposeProject): readonly TranslatedEntry[] {
  const memory = [...service.texts('tmpfs')]
  const mounts = itemsOf(service.take('volumes')).flatMap(item => {
    const volume = service.below(item, 'volumes')
    if (volume === undefined) return []
    if (volume.text('type') === 'tmpfs') {
      memory.push(...translateTmpfs(volume))
      return []
    }
    const mount = translateVolume(volume, project)
    noteRest(volume)
    return mount ?? []
  })
  const files = [...translateGrants(service, project, 'secrets'), ...translateGrants(service, project, 'configs')]
  if (memory.some(path => !path.startsWith('/'))) service.note('refused', 'tmpfs', 'is no absolute path')
  const volumes = [...new Map([...mounts, ...files].map(mount => [mount.target, mount.text])).values()]
  return [
    ...(volumes.length === 0 ? [] : [{ key: 'volumes', value: volumes }]),
    ...(memory.length === 0 ? [] : [{ key: 'tmpfs', value: [...new Set(memory)] }]),
  ]
}

/** A mount as it is written, and the path inside. */
interface Mount {
  readonly target: string
  readonly text: string
}

function translateTmpfs(volume: KeyReader): readonly string[] {
  const target = volume.text('target')
  const options = volume.inside('tmpfs')
  const [size, mode] = [options?.text('size'), options?.text('mode')]
  const flags = [...(size === undefined ? [] : [`size=${size}`]), ...(mode === undefined ? [] : [`mode=${mode}`])]
  return target === undefined ? [] : [flags.length === 0 ? target : `${target}:${flags.join(',')}`]
}

function translateVolume(volume: KeyReader, project: ComposeProject): Mount | undefined {
  const type = volume.text('type') ?? 'volume'
  const target = volume.text('target')
  const source = volume.text('source')
  if (type !== 'bind' && type !== 'volume')
    return volume.note('refused', 'type', `locald has no mounts of type '${type}'`)
  if (target === undefined || !target.startsWith('/')) return volume.note('refused', 'target', 'is no absolute path')
  if (target.includes(':')) return volume.note('refused', 'target', 'has a colon in its path')
  const flags = translateFlags(volume)
  if (source === undefined || source === '') return { target, text: target }
  const from = type === 'bind' ? bindSource(volume, project, source) : volumeSource(volume, project, source)
  return from === undefined
    ? undefined
    : { target, text: [from, target, ...(flags.length === 0 ? [] : [flags.join(',')])].join(':') }
}

/** Returns the flags that the engine gets. */
function translateFlags(volume: KeyReader): readonly string[] {
  const flags = (volume.text('mode') ?? '').split(',').filter(flag => flag !== '' && !plainFlags.includes(flag))
  const others = flags.filter(flag => !passedFlags.includes(flag))
  if (others.length > 0) volume.note('dropped', 'mode', `${others.join(', ')}: locald mounts without these flags`)
  volume.take('consistency')
  const options = volume.inside('volume')
  if (options?.flag('nocopy') === true) flags.push('nocopy')
  if (options !== undefined) noteRest(options)
  if (volume.flag('read_only') === true) flags.push('ro')
  return [...new Set(flags)].filter(flag => passedFlags.includes(flag))
}

function bindSource(volume: KeyReader, project: ComposeProject, path: string): string | undefined {
  if (path.includes(':')) return volume.note('refused', 'source', 'has a colon in its path')
  if (engineSocket.test(path))
    volume.note('changed', 'source', 'is the socket of one engine: it exists only where that engine runs')
  const bind = volume.inside('bind')
  bind?.take('create_host_path')
  if (bind !== undefined) noteRest(bind)
  if (!existsSync(path))
    volume.note('changed', 'source', 'does not exist: create it before `locald up`, which makes no empty folder')
  const written = pathFrom(project.root, path)
  const home = `${homedir()}/`
  return `${written}/`.startsWith(home) ? `~/${written.slice(home.length)}` : written
}

function volumeSource(volume: KeyReader, project: ComposeProject, name: string): string | undefined {
  const definition = entryOf(project.model, 'volumes', name)
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) return volume.note('refused', 'source', 'is no name of a volume')
  const at: Place = definition?.at ?? volume.at
  if (isTrue(entryOf(definition, 'external')) || entryOf(definition, 'external')?.kind === 'mapping')
    volume.note('changed', 'source', `'${name}' is external in compose; locald makes a new, empty volume`, at)
  const options = entryOf(definition, 'driver_opts')
  const device = textOf(entryOf(options, 'device'))
  if (device !== undefined && /\bbind\b/.test(textOf(entryOf(options, 'o')) ?? ''))
    return pathFrom(project.root, device)
  const driver = textOf(entryOf(definition, 'driver')) ?? 'local'
  if (options !== undefined || driver !== 'local')
    volume.note('changed', 'source', `'${name}' has a driver in compose; locald makes a plain volume`, at)
  return name
}

/** Mounts the files of secrets or configurations where compose puts them. */
function translateGrants(service: KeyReader, project: ComposeProject, kind: 'secrets' | 'configs'): readonly Mount[] {
  return itemsOf(service.take(kind)).flatMap(item => {
    const grant = service.below(item, kind)
    const name = grant?.text('source')
    if (grant === undefined || name === undefined) return []
    const target = grant.text('target') ?? name
    for (const key of ['uid', 'gid', 'mode']) grant.take(key)
    noteRest(grant)
    const definition = entryOf(project.model, kind, name)
    const file = textOf(entryOf(definition, 'file'))
    if (file === undefined) return service.note('refused', kind, reasonWithoutFile(name, definition), item.at) ?? []
    const path = target.startsWith('/') ? target : kind === 'secrets' ? `/run/secrets/${target}` : `/${target}`
    return [{ target: path, text: `${pathFrom(project.root, file)}:${path}:ro` }]
  })
}

function reasonWithoutFile(name: string, definition: Node | undefined): string {
  if (definition === undefined) return `'${name}' is not defined`
  return `'${name}' does not come from a file: locald mounts files only`
}

function noteRest(reader: KeyReader): void {
  for (const [key, node] of reader.rest) reader.note('dropped', key, 'locald mounts without it', node.at)
}
