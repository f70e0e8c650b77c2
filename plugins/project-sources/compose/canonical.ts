import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  entryOf,
  itemsOf,
  type List,
  type Mapping,
  mapping,
  type Node,
  nothing,
  type Scalar,
  scalar,
  textOf,
  withEntry,
} from './node.ts'

/** The keys whose lists of `NAME=value` are a short form of a mapping. */
const pairLists = ['environment', 'labels', 'annotations', 'sysctls'] as const

/**
 * Returns a service in the long forms that can be merged, with absolute paths: relative ones start at the folder of
 * their file.
 */
export function canonicalService(service: Mapping, folder: string): Mapping {
  let long = service
  const change = (key: string, into: (node: Node) => Node) => {
    const node = long.entries.get(key)
    if (node !== undefined && node.tag !== 'reset') long = withEntry(long, key, { ...into(node), tag: node.tag })
  }
  for (const key of pairLists) change(key, toPairs)
  change('build', node => canonicalBuild(node, folder))
  change('depends_on', toConditions)
  change('networks', node => toMapping(node, item => nothing(item.at)))
  change('env_file', node => mapItems(node, item => canonicalEnvFile(item, folder)))
  change('volumes', node => mapItems(node, item => canonicalVolume(item, folder)))
  for (const key of ['secrets', 'configs']) change(key, node => mapItems(node, canonicalGrant))
  for (const key of ['tmpfs', 'dns', 'dns_search', 'profiles', 'label_file'])
    change(key, node => mapItems(node, it => it))
  return long
}

/** Returns a file's top level with absolute paths in what its services refer to. */
export function canonicalTop(top: Mapping, folder: string): Mapping {
  let long = top
  for (const [key, path] of [
    ['secrets', ['file']],
    ['configs', ['file']],
    ['volumes', ['driver_opts', 'device']],
  ] as const) {
    const table = long.entries.get(key)
    if (table?.kind !== 'mapping') continue
    const entries = [...table.entries].map(([name, node]) => [name, withPath(node, path, folder)] as const)
    long = withEntry(long, key, { ...mapping(entries, table.at), tag: table.tag })
  }
  return long
}

function withPath(node: Node, path: readonly string[], folder: string): Node {
  const [key, ...rest] = path
  if (key === undefined) return node.kind === 'scalar' ? absolute(node, folder) : node
  const inner = entryOf(node, key)
  return node.kind !== 'mapping' || inner === undefined ? node : withEntry(node, key, withPath(inner, rest, folder))
}

function canonicalBuild(node: Node, folder: string): Node {
  let build = node.kind === 'scalar' ? mapping([['context', node]], node.at) : node
  if (build.kind !== 'mapping') return build
  const context = build.entries.get('context')
  if (context?.kind === 'scalar' && !isRemote(context.text))
    build = withEntry(build, 'context', absolute(context, folder))
  const args = build.entries.get('args')
  return args === undefined ? build : withEntry(build, 'args', { ...toPairs(args), tag: args.tag })
}

/** Whether a build context is at another machine: a URL, or a repository of git. */
export function isRemote(context: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(context)
}

function canonicalEnvFile(item: Node, folder: string): Node {
  const path = entryOf(item, 'path')
  if (item.kind === 'mapping' && path?.kind === 'scalar') return withEntry(item, 'path', absolute(path, folder))
  return item.kind === 'scalar' ? absolute(item, folder) : item
}

/** Returns a mount in its long form. The flags of the short form stay together in `mode`. */
function canonicalVolume(item: Node, folder: string): Node {
  if (item.kind === 'list') return item
  if (item.kind === 'mapping') {
    const source = item.entries.get('source') ?? item.entries.get('src')
    const isBind = textOf(item.entries.get('type')) === 'bind'
    return source?.kind === 'scalar' && isBind ? withEntry(item, 'source', absolute(source, folder)) : item
  }
  const parts = item.text.split(':')
  const [first = '', target, ...mode] = parts
  if (target === undefined)
    return mapping(
      [
        ['type', scalar('volume', item.at)],
        ['target', item],
      ],
      item.at,
    )
  const isBind = /^[./~]/.test(first)
  const source = { ...item, text: first }
  return mapping(
    [
      ['type', scalar(isBind ? 'bind' : 'volume', item.at)],
      ['source', isBind ? absolute(source, folder) : source],
      ['target', scalar(target, item.at)],
      ...(mode.length === 0 ? [] : [['mode', scalar(mode.join(':'), item.at)] as const]),
    ],
    item.at,
  )
}

/** Returns a service's use of a secret or a configuration in its long form. */
function canonicalGrant(item: Node): Node {
  return item.kind === 'scalar' ? mapping([['source', item]], item.at) : item
}

function absolute(path: Scalar, folder: string): Scalar {
  const { text } = path
  const home = text === '~' || text.startsWith('~/')
  return { ...path, text: home ? join(homedir(), text.slice(1)) : resolve(folder, text) }
}

function mapItems(node: Node, change: (item: Node) => Node): List {
  return { kind: 'list', items: itemsOf(node).map(change), at: node.at }
}

/** Converts a list of names to a mapping. */
function toMapping(node: Node, value: (item: Node) => Node): Node {
  if (node.kind !== 'list') return node
  return mapping(
    node.items.flatMap(item => (item.kind === 'scalar' ? [[item.text, value(item)] as const] : [])),
    node.at,
  )
}

function toConditions(node: Node): Node {
  return toMapping(node, ({ at }) => mapping([['condition', scalar('service_started', at)]], at))
}

/** Converts a list of `NAME=value` to a mapping. */
function toPairs(node: Node): Node {
  if (node.kind !== 'list') return node
  return mapping(
    node.items.flatMap(item => (item.kind === 'scalar' ? [toPair(item)] : [])),
    node.at,
  )
}

function toPair(item: Scalar): readonly [string, Scalar] {
  const cut = item.text.indexOf('=')
  if (cut < 0) return [item.text, nothing(item.at)]
  const name = item.text.slice(0, cut)
  // Where the name has no reference, those of the value stay as they are written.
  const template = item.template.startsWith(`${name}=`)
    ? item.template.slice(cut + 1)
    : item.text.slice(cut + 1).replaceAll('$', '$$$$')
  return [name, { ...item, template, text: item.text.slice(cut + 1) }]
}
