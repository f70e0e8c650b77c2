import type { Section } from '../../toml.ts'
import { Findings } from '../findings.ts'
import { entryOf, type Mapping, type Node, textOf } from '../node.ts'
import type { ComposeProject } from '../project.ts'
import { KeyReader } from '../reader.ts'
import { findAlternatives } from './alternatives.ts'
import { translateDependencies } from './dependencies.ts'
import { translateEnvironment } from './environment.ts'
import { translateHealth } from './health.ts'
import { translateImage } from './image.ts'
import { translateMounts } from './mounts.ts'
import { translatePorts } from './ports.ts'
import { translateProcess, translateResources } from './process.ts'
import { noteUnsupported } from './unsupported.ts'

/** Translates one service of compose to its table in locald.toml, and notes what that does not hold. */
export async function translateService(
  name: string,
  node: Node,
  project: ComposeProject,
  findings: Findings,
  path: string,
): Promise<Section | undefined> {
  const key = `services.${name}`
  if (node.kind !== 'mapping') {
    findings.add('refused', key, 'must be a mapping', node.at)
    return undefined
  }
  const isInactive = !project.isActive(name)
  const own = new Findings()
  const entries = translateKeys(new KeyReader(node, key, own), name, node, project)
  if (isInactive) findings.addInactive(own)
  else findings.addAll(own)
  const label = project.names.labelOf(name)
  if (label !== name) findings.add('changed', key, `is called ${label}: names of services are host names`, node.at)
  if (isInactive) findings.add('dropped', `${key}.profiles`, 'is written as a comment: locald has no profiles', node.at)
  const comments = await findAlternatives(label, node, project.root, path)
  return { header: ['services', label], comments, entries, isInactive }
}

function translateKeys(service: KeyReader, name: string, node: Mapping, project: ComposeProject): Section['entries'] {
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
  return entries
}
