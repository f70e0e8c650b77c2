import type { TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { entryOf, itemsOf, type Node, type Place, type Scalar, textOf } from '../node.ts'
import type { KeyReader } from '../reader.ts'

/** A published port. */
interface Port {
  readonly target: number
  readonly published: string | undefined
  readonly protocol: string
  /** What is spoken on it, where the file says that. */
  readonly speaks: string | undefined
  readonly at: Place
}

/** A range of more ports than this is no list that one would read. */
const rangeLimit = 50

const portLimit = 200

/** The ports of debuggers of Node, Python, Go, Java and PHP: not what a service is for. */
const debuggers = [9229, 5678, 2345, 5005, 9003]

/** A service's ports inside, in locald's keys. */
export interface PortEntries {
  readonly containerPort: number | undefined
  /** The port of this machine at which compose publishes it. */
  readonly published?: number | undefined
  readonly entries: readonly TranslatedEntry[]
}

/** Translates `ports` and `expose`. `wanted`: the value of the variable PORT, which locald sets to the main port. */
export function translatePorts(service: KeyReader, wanted: string | undefined): PortEntries {
  const listed = itemsOf(service.take('ports'))
  if (listed.length > portLimit) service.note('refused', 'ports', `are more than ${portLimit}`)
  const published = listed.slice(0, portLimit).flatMap(item => readPort(service, item))
  const byTarget = new Map(published.filter(({ protocol }) => protocol === 'tcp').map(port => [port.target, port]))
  for (const { protocol, target, at } of published) {
    if (protocol === 'tcp') continue
    service.note('dropped', 'ports', `${target}/${protocol}: locald publishes TCP ports only`, at)
  }
  const exposed = service
    .texts('expose')
    .flatMap(text => (/^\d+(?:\/tcp)?$/.test(text) ? [Number.parseInt(text, 10)] : []))
  const variable = wanted !== undefined && /^\d{1,5}$/.test(wanted) ? Number(wanted) : undefined
  const isListed = variable !== undefined && (byTarget.has(variable) || exposed.includes(variable))
  const targets = [...byTarget.keys()]
  const first = targets.find(target => !debuggers.includes(target)) ?? targets[0] ?? exposed[0] ?? variable
  const containerPort = isListed ? variable : first
  if (containerPort === undefined || containerPort < 1 || containerPort > 65_535)
    return { containerPort: undefined, entries: [] }
  const more = [...byTarget.values()].filter(({ target }) => target !== containerPort)
  const main = byTarget.get(containerPort)
  const protocol = protocolOf(main, containerPort)
  const fixed = publishedOf(main)
  return {
    ...{ containerPort, published: fixed },
    entries: [
      withPublished({ key: 'container_port', value: containerPort }, fixed),
      ...(more.length === 0 ? [] : [{ key: 'ports', value: more.map(({ target }) => String(target)) }]),
      ...(protocol === undefined ? [] : [{ key: 'protocol', value: protocol }]),
    ],
  }
}

/** Rootless engines publish no port below 1024. */
function publishedOf(port: Port | undefined): number | undefined {
  const published = port?.published === undefined || !/^\d{4,5}$/.test(port.published) ? 0 : Number(port.published)
  return published < 1024 || published > 65_535 ? undefined : published
}

function withPublished(entry: TranslatedEntry, published: number | undefined): TranslatedEntry {
  if (published === undefined) return entry
  return { ...entry, comment: `port = ${published} keeps the port of this machine that compose published it at` }
}

function protocolOf(port: Port | undefined, target: number): string | undefined {
  if (port?.speaks !== undefined && ['https', 'h2c'].includes(port.speaks)) return port.speaks
  return target === 443 || target === 8443 ? 'https' : undefined
}

function readPort(service: KeyReader, item: Node): readonly Port[] {
  if (item.kind === 'mapping') return readLongPort(service, item)
  // Variables of the published port are not noted: locald chooses that port.
  const [, target = ''] = /:([^:}]*)$/.exec(item.kind === 'scalar' ? item.template : '') ?? []
  const isPlain = item.kind === 'scalar' && item.fault === undefined && target !== '' && item.text.endsWith(target)
  const text = isPlain ? item.text : service.textOf(item, 'ports')
  return item.kind !== 'scalar' || text === undefined ? [] : readShortPort(service, item, text)
}

/** Reads `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]`; published port and target may be ranges. */
function readShortPort(service: KeyReader, item: Scalar, text: string): readonly Port[] {
  const [, published, target = '', protocol = 'tcp'] = /^(?:.*?([\d-]*):)?([\d-]+)(?:\/(\w+))?$/.exec(text) ?? []
  const targets = readRange(target)
  if (targets === undefined) return service.note('refused', 'ports', 'is no port', item.at) ?? []
  const hosts = readRange(published ?? '') ?? []
  return targets.map((port, index) => ({
    target: port,
    published: hosts.length === targets.length ? String(hosts[index]) : undefined,
    protocol: protocol.toLowerCase(),
    speaks: undefined,
    at: item.at,
  }))
}

function readLongPort(service: KeyReader, item: Node): readonly Port[] {
  const target = entryOf(item, 'target')
  const text = target === undefined ? undefined : service.textOf(target, 'ports')
  const [port] = readRange(text ?? '') ?? []
  if (port === undefined) return service.note('refused', 'ports', 'is no port', item.at) ?? []
  return [
    {
      target: port,
      published: textOf(entryOf(item, 'published')),
      protocol: (textOf(entryOf(item, 'protocol')) ?? 'tcp').toLowerCase(),
      speaks: textOf(entryOf(item, 'app_protocol')),
      at: item.at,
    },
  ]
}

function readRange(text: string): readonly number[] | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  const count = last - first + 1
  if (from === undefined || first < 1 || last > 65_535 || count < 1 || count > rangeLimit) return undefined
  return Array.from({ length: count }, (_, index) => first + index)
}
