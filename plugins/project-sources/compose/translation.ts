import { basename, dirname, resolve } from 'node:path'
import { labelOf, type ProjectFolder, type Translation } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { composeNames, findComposeFiles } from './files.ts'
import { Findings } from './findings.ts'
import { composeError, Loader } from './load.ts'
import { Names } from './names.ts'
import { entriesOf, entryOf, itemsOf, type Mapping, type Node, textOf } from './node.ts'
import type { ComposeProject } from './project.ts'
import { findAlternatives } from './service/alternatives.ts'
import { findCycle } from './service/dependencies.ts'
import { type ComposeService, translateService } from './service/service.ts'
import { readVariables } from './variables.ts'

/** The compose files of a project, as locald's services. */
export interface ComposeModel {
  /** The files that are merged, absolute. */
  readonly files: readonly string[]
  /** All files that were read, absolute: also those that they include and extend. */
  readonly read: readonly string[]
  readonly project: ComposeProject
  readonly services: readonly ComposeService[]
  readonly findings: Findings
}

/** Names whose domain no project can have. */
const reserved = ['locald', 'wpad', 'isatap']

/**
 * Reads compose files, absolute; without any those of COMPOSE_FILE or of the folder. Throws CONFIG_NOT_FOUND without
 * files, CONFIG_INVALID for what compose cannot read either.
 */
export async function readCompose(folder: ProjectFolder, named: readonly string[] = []): Promise<ComposeModel> {
  const root = folder.path
  const paths = await findFiles(folder, named)
  const [first] = paths
  if (first === undefined)
    throw new LocaldError('CONFIG_NOT_FOUND', `no compose file in ${root}`, {
      hint: `Change to the folder of a ${composeNames.join(', ')}, or name the file with \`-f FILE\`.`,
    })
  const base = dirname(first)
  const scope = await readVariables(base, folder)
  const loader = new Loader(folder)
  const model = await loader.load(paths, { folder: base, scope })
  const findings = new Findings()
  const profiles = (scope('COMPOSE_PROFILES') ?? '').split(',').map(profile => profile.trim())
  const project: ComposeProject = {
    ...{ root, folder: base, model, scope, names: new Names(model) },
    isActive: name => isActive(entryOf(model, 'services', name), profiles),
  }
  const services = translateServices(project, findings)
  noteTopLevel(model, findings)
  if (base !== root) noteOtherFolder(base, root, services, findings, model)
  return { files: paths, read: loader.files, project, services, findings }
}

/** Translates compose files for `init --from compose`. Throws IMPORT_UNSUPPORTED with all that locald cannot do. */
export async function translateCompose(folder: ProjectFolder, named: readonly string[]): Promise<Translation> {
  const { files, project, services, findings } = await readCompose(folder, named)
  if (findings.refused.length > 0)
    throw new LocaldError('IMPORT_UNSUPPORTED', 'the compose files need what locald does not have', {
      hint: 'Remove these keys, or give their services a profile so that they are left out. Nothing was written.',
      problems: findings.problems,
    })
  const label = labelOf(textOf(project.model.entries.get('name')) ?? basename(project.root))
  const commented = services.map(async ({ name, from, entries, isInactive }) => ({
    ...{ name, entries, isInactive },
    comments: await findAlternatives(name, entryOf(project.model, 'services', from), project.root, folder),
  }))
  return {
    files,
    name: reserved.includes(label) ? `${label}-project` : label,
    services: await Promise.all(commented),
    dropped: findings.dropped,
    changed: findings.changed,
  }
}

/** Returns the files to read: those that were named, those of COMPOSE_FILE, or those of the folder. */
async function findFiles(folder: ProjectFolder, named: readonly string[]): Promise<readonly string[]> {
  if (named.length > 0) return named
  const scope = await readVariables(folder.path, folder)
  const listed = (scope('COMPOSE_FILE') ?? '').split(scope('COMPOSE_PATH_SEPARATOR') || ':').filter(file => file !== '')
  return listed.length > 0 ? listed.map(file => resolve(folder.path, file)) : findComposeFiles(folder.path)
}

/** A service with profiles runs only where one of them is chosen. */
function isActive(service: Node | undefined, chosen: readonly string[]): boolean {
  const profiles = itemsOf(entryOf(service, 'profiles')).map(profile => textOf(profile) ?? '')
  return profiles.length === 0 || profiles.some(profile => chosen.includes(profile)) || chosen.includes('*')
}

function translateServices(project: ComposeProject, findings: Findings): readonly ComposeService[] {
  const { model } = project
  const table = model.entries.get('services')
  const services = entriesOf(table)
  if (services.length === 0) throw composeError(table?.at ?? model.at, 'no services', 'services')
  const active = services.map(([name]) => name).filter(name => project.isActive(name))
  const cycle = findCycle(model, active)
  if (cycle !== undefined && table !== undefined)
    throw composeError(table.at, `services depend on each other: ${cycle.join(' -> ')}`, 'services')
  return services.flatMap(([name, node]) => translateService(name, node, project, findings) ?? [])
}

/** Lists what the top level of the files has besides services. */
function noteTopLevel(model: Mapping, findings: Findings): void {
  const known = ['name', 'version', 'services', 'volumes', 'secrets', 'configs', 'networks', 'include']
  for (const [key, node] of model.entries) {
    if (known.includes(key) || key.startsWith('x-')) continue
    findings.add('dropped', key, 'locald has nothing like it', node.at)
  }
  const networks = entriesOf(model.entries.get('networks'))
  for (const [name, node] of networks) {
    const isExternal = entryOf(node, 'external') !== undefined && textOf(entryOf(node, 'external')) !== 'false'
    if (isExternal)
      findings.add('changed', `networks.${name}`, 'is external in compose: its containers are not reached', node.at)
    else if (entriesOf(node).some(([key]) => !key.startsWith('x-') && !['name', 'driver', 'attachable'].includes(key)))
      findings.add('dropped', `networks.${name}`, 'has settings in compose: locald makes a plain network', node.at)
  }
  const [, second] = networks
  if (second !== undefined)
    findings.add(
      'changed',
      'networks',
      'services of a project share one network: each reaches all others',
      second[1].at,
    )
}

/** Variables of `.env` are read from the project's folder only. */
function noteOtherFolder(
  folder: string,
  root: string,
  services: readonly ComposeService[],
  findings: Findings,
  model: Mapping,
): void {
  const hasReferences = services.some(({ entries }) =>
    entries.some(({ key, value }) => key === 'env' && JSON.stringify(value).includes('${')),
  )
  if (hasReferences) findings.add('changed', 'services', `locald reads .env in ${root}, not in ${folder}`, model.at)
}
