import { constants } from 'node:os'
import type { TomlValue, TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { entriesOf, itemsOf, type Node, textOf } from '../node.ts'
import type { KeyReader } from '../reader.ts'
import { parseDuration, toSize } from '../units.ts'
import { splitWords } from '../words.ts'

/** Translates what a service's process is and how it is stopped. */
export function translateProcess(service: KeyReader): readonly TranslatedEntry[] {
  const found: readonly (readonly [string, TomlValue | undefined])[] = [
    ['entrypoint', translateCommand(service, 'entrypoint')],
    ['command', translateCommand(service, 'command')],
    ['workdir', service.text('working_dir')],
    ['user', service.text('user')],
    ['init', service.flag('init') === false ? false : undefined],
    ['stop_signal', translateSignal(service)],
    ['stop_timeout', translateGrace(service)],
    ['labels', translateLabels(service)],
  ]
  return found.flatMap(([key, value]) =>
    value === undefined || (typeof value === 'string' && value.trim() === '') ? [] : [{ key, value }],
  )
}

/** A list stays exact; a line stays one where it has no quotes that two programs could read in two ways. */
function translateCommand(service: KeyReader, key: 'command' | 'entrypoint'): TomlValue | undefined {
  const node = service.take(key)
  if (node === undefined) return undefined
  if (node.kind !== 'scalar') return wordsOf(service, node, key)
  const line = service.textOf(node, key)
  if (line === undefined) return undefined
  const words = splitWords(line)
  if (words === undefined) return service.note('refused', key, 'has a quote that is never closed', node.at)
  if (words.length === 0) return undefined
  return /^[\w@%+=:,./ -]+$/.test(line) ? line.trim() : words
}

function wordsOf(service: KeyReader, node: Node, key: string): readonly string[] | undefined {
  if (node.kind !== 'list') return service.note('refused', key, 'must be a text or a list', node.at)
  const words = itemsOf(node).flatMap(item => service.textOf(item, key) ?? [])
  if (words.length > 0) return words
  return service.note('dropped', key, "an empty one does not replace the image's own", node.at)
}

function translateSignal(service: KeyReader): string | undefined {
  const text = service.text('stop_signal')
  if (text === undefined) return undefined
  const name = text.toUpperCase().replace(/^(?!SIG)/, 'SIG')
  if (Object.hasOwn(constants.signals, name)) return name
  return service.note('dropped', 'stop_signal', `locald does not know the signal ${text}: it sends SIGTERM`)
}

function translateGrace(service: KeyReader): number | undefined {
  const text = service.text('stop_grace_period')
  if (text === undefined) return undefined
  const seconds = parseDuration(text)
  if (seconds === undefined) return service.note('refused', 'stop_grace_period', 'is no duration')
  return Math.min(seconds, 86_400)
}

function translateLabels(service: KeyReader): TomlValue | undefined {
  const labels = entriesOf(service.take('labels')).flatMap(([name, node]) => {
    const value = node.kind === 'scalar' && node.isNull ? '' : service.textOf(node, `labels.${name}`)
    return value === undefined ? [] : [[name, value] as const]
  })
  return labels.length === 0 ? undefined : Object.fromEntries(labels)
}

/** Translates limits, those of `deploy` included. */
export function translateResources(service: KeyReader): readonly TranslatedEntry[] {
  const deploy = service.inside('deploy')
  const limits = deploy?.inside('resources')
  const below = limits?.inside('limits')
  const memory = service.text('mem_limit') ?? below?.text('memory')
  const cpus = service.text('cpus') ?? below?.text('cpus')
  const shm = service.text('shm_size')
  if (deploy !== undefined) checkDeploy(deploy)
  if (limits !== undefined) {
    const devices =
      textOf(limits.take('reservations')) === undefined ? limits.inside('reservations')?.take('devices') : undefined
    if (devices !== undefined)
      limits.note('refused', 'reservations.devices', 'locald gives containers no devices', devices.at)
  }
  for (const [key, node] of below?.rest ?? []) below?.note('dropped', key, 'locald has no such limit', node.at)
  const count = cpus === undefined ? undefined : Number(cpus)
  if (count !== undefined && !(count >= 0)) service.note('refused', 'cpus', 'is no number')
  return [
    ...size(service, 'memory', 'mem_limit', memory),
    ...(count !== undefined && count > 0 ? [{ key: 'cpus', value: count }] : []),
    ...size(service, 'shm_size', 'shm_size', shm),
  ]
}

function size(service: KeyReader, key: string, from: string, text: string | undefined): readonly TranslatedEntry[] {
  if (text === undefined || text === '0') return []
  const value = toSize(text)
  return value === undefined ? (service.note('refused', from, 'is no size such as 512m') ?? []) : [{ key, value }]
}

/** What swarms do: locald runs one container for each service, on this machine. */
function checkDeploy(deploy: KeyReader): void {
  const mode = deploy.text('mode')
  if (mode !== undefined && mode !== 'replicated') deploy.note('refused', 'mode', `'${mode}' is for a swarm`)
  const replicas = deploy.text('replicas')
  if (replicas !== undefined && replicas !== '1') deploy.note('refused', 'replicas', 'a service has one container')
  for (const key of ['placement', 'endpoint_mode']) {
    const node = deploy.take(key)
    if (node !== undefined) deploy.note('refused', key, 'is for a swarm', node.at)
  }
  deploy.take('restart_policy')
  for (const [key, node] of deploy.rest) deploy.note('dropped', key, 'is for a swarm', node.at)
}
