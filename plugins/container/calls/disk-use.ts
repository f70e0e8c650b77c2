import type { DiskPart } from '../../../kernel/contract/plugin.ts'
import { label, type Names } from '../names.ts'
import type { Engine } from '../provides.ts'
import { listContainers } from './containers.ts'
import { listVolumes } from './inventory.ts'
import { runEngine } from './run-engine.ts'

/** The engine's storage is in a VM of locald's own, whose disk is counted as a whole. */
const dialectOfVm = 'nerdctl'

/** Lists the volumes of locald's projects in an engine, and the images that were built for them, or that they run. */
export async function diskUseOf(engine: Engine, names: Names, signal: AbortSignal): Promise<readonly DiskPart[]> {
  if (engine.dialect === dialectOfVm) return []
  const [images, volumes] = await Promise.all([imageParts(engine, names, signal), volumeParts(engine, names, signal)])
  return [...images, ...volumes]
}

async function volumeParts(engine: Engine, { owner }: Names, signal: AbortSignal): Promise<readonly DiskPart[]> {
  const volumes = await listVolumes(engine, owner, signal)
  // It reads all of them: not where there are none of ours.
  if (volumes.length === 0) return []
  const sizes = parseVolumeSizes(await runEngine(engine, ['system', 'df', '--verbose'], { signal }))
  return volumes.map(({ name, labels }) => ({
    ...{ what: `${engine.name} volume`, name, bytes: sizes.get(name) ?? 0 },
    remove: async () => void (await runEngine(engine, ['volume', 'rm', name])),
    ...ownerOf(labels[label.project], labels[label.service]),
  }))
}

async function imageParts(engine: Engine, { owner }: Names, signal: AbortSignal): Promise<readonly DiskPart[]> {
  const format = '{{.Repository}}:{{.Tag}}\t{{.Size}}'
  const [containers, listed] = await Promise.all([
    listContainers(engine, owner, signal),
    runEngine(engine, ['images', '--format', format], { signal }),
  ])
  const used = new Set(containers.map(({ image }) => withTag(image)))
  const built = new RegExp(`^localhost/locald-${owner}/([^/]+)/([^/:]+):`)
  return listed.split('\n').flatMap(line => {
    const [name = '', size = ''] = line.split('\t')
    const own = built.exec(name)
    if (own === null && !used.has(name)) return []
    return [{ what: `${engine.name} image`, name, bytes: parseSize(size) ?? 0, ...ownerOf(own?.[1], own?.[2]) }]
  })
}

/** Parses the sizes of volumes by name, in what `system df --verbose` of docker and podman prints. */
export function parseVolumeSizes(output: string): ReadonlyMap<string, number> {
  const lines = output.split('\n')
  const start = lines.findIndex(line => line.startsWith('VOLUME NAME'))
  const sizes = new Map<string, number>()
  for (const line of start === -1 ? [] : lines.slice(start + 1)) {
    // Other tables follow behind an empty line.
    const [, name, size] = /^(\S+)\s+\d+\s+(.+?)\s*$/.exec(line) ?? []
    if (name === undefined || size === undefined) break
    const bytes = parseSize(size)
    if (bytes !== undefined) sizes.set(name, bytes)
  }
  return sizes
}

const powers = ['', 'k', 'm', 'g', 't', 'p']

/** Parses a size as engines print it: `1.234GB`, `4.5 MB`, `12B`, `3.1 MiB`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, count, prefix = '', binary] = /^(\d+(?:\.\d+)?(?:e\+\d+)?)\s*([kmgtp]?)(i?)b$/i.exec(text.trim()) ?? []
  if (count === undefined) return undefined
  return Math.round(Number(count) * (binary === 'i' ? 1024 : 1000) ** powers.indexOf(prefix.toLowerCase()))
}

/** Docker lists a container's image as it was asked for. */
function withTag(image: string): string {
  return /:[^/]*$/.test(image) ? image : `${image}:latest`
}

function ownerOf(project: string | undefined, service: string | undefined): Pick<DiskPart, 'project' | 'service'> {
  return {
    ...(project === undefined ? {} : { project }),
    ...(project === undefined || service === undefined ? {} : { service }),
  }
}
