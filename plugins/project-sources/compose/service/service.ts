import type { TranslatedService } from '../../../../kernel/contract/plugin.ts'
import { Findings } from '../findings.ts'
import { entryOf, type Mapping, type Node, type Place, textOf } from '../node.ts'
import type { ComposeProject } from '../project.ts'
import { KeyReader } from '../reader.ts'
import { translateDependencies } from './dependencies.ts'
import { translateEnvironment } from './environment.ts'
import { translateHealth } from './health.ts'
import { translateImage } from './image.ts'
import { translateMounts } from './mounts.ts'
import { translatePorts } from './ports.ts'
import { translateProcess, translateResources } from './process.ts'
import { noteUnsupported } from './unsupported.ts'

/** A service of compose, in both worlds. */
export interface ComposeService extends TranslatedService {
  /** Its name in the compose file. */
  readonly from: string
  readonly at: Place
  /** The port of this machine at which compose publishes its main port. */
  readonly published: number | undefined
  readonly isBuilt: boolean
}

/** Translates one service of compose to its table in locald.toml, and notes what that does not hold. */
export function translateService(
  name: string,
  node: Node,
  project: ComposeProject,
  findings: Findings,
): ComposeService | undefined {
  const key = `services.${name}`
  if (node.kind !== 'mapping') {
    findings.add('refused', key, 'must be a mapping', node.at)
    return undefined
  }
  const isInactive = !project.isActive(name)
  const own = new Findings()
  const { entries, published } = translateKeys(new KeyReader(node, key, own), name, node, project)
  if (isInactive) findings.addInactive(own)
  else findings.addAll(own)
  const label = project.names.labelOf(name)
  if (label !== name) findings.add('changed', key, `is called ${label}: names of services are host names`, node.at)
  if (isInactive) findings.add('dropped', `${key}.profiles`, 'is written as a comment: locald has no profiles', node.at)
  const isBuilt = entryOf(node, 'build') !== undefined
  return { name: label, from: name, at: node.at, comments: [], entries, isInactive, published, isBuilt }
}

function translateKeys(service: KeyReader, name: string, node: Mapping, project: ComposeProject) {
  const ports = translatePorts(service, textOf(entryOf(node, 'environment', 'PORT')))
  const entries = [
    { key: 'type', value: 'container' },
    ...translateImage(service, project),
    ...ports.entries,
    ...translateProcess(service),
    ...translateEnvironment(service, project, ports.containerPort),
    ...translateMounts(service, project),
    ...translateResources(service),
    ...translateDependencies(service, name, project),
    ...translateHealth(service, ports.containerPort),
  ]
  noteUnsupported(service, name)
  return { entries, published: ports.published }
}
