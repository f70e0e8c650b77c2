import { basename, dirname, resolve } from 'node:path'
import { labelOf } from '../../../kernel/config/fields/names.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { formatToml, type Section } from '../toml.ts'
import { composeNames, findComposeFiles } from './files.ts'
import { type Finding, Findings } from './findings.ts'
import { composeError, Loader } from './load.ts'
import { Names } from './names.ts'
import { entriesOf, entryOf, itemsOf, type Mapping, type Node, textOf } from './node.ts'
import type { ComposeProject } from './project.ts'
import { findCycle } from './service/dependencies.ts'
import { translateService } from './service/service.ts'
import type { Scope } from './template.ts'
import { textReader } from './text.ts'
import { readVariables } from './variables.ts'

/** What compose files become. */
export interface Translation {
  /** The text of locald.toml. */
  readonly toml: string
  /** The compose files that were read, absolute. */
  readonly files: readonly string[]
  /** The services that are written, by locald's names. */
  readonly services: readonly string[]
  /** Keys without a counterpart. */
  readonly dropped: readonly Finding[]
  /** What was written and differs from what compose does. */
  readonly changed: readonly Finding[]
}

/** What to translate: the folder of locald.toml, the files (none: those of the folder) and the caller's environment. */
export interface TranslationOptions {
  readonly root: string
  readonly files: readonly string[]
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** The folder of locald's data, which has the list of allowed folders. */
  readonly data: string
}

/** Names whose domain no project can have. */
const reserved = ['locald', 'wpad', 'isatap']

/**
 * Translates compose files to a locald.toml. Throws IMPORT_UNSUPPORTED with all that locald cannot do, CONFIG_NOT_FOUND
 * without files, CONFIG_INVALID for what compose cannot read either.
 */
export async function translateCompose({ root, files, env, data }: TranslationOptions): Promise<Translation> {
  const readText = textReader(root, env, data)
  const paths = await findFiles(root, files, () => readVariables(root, env, readText))
  const [first] = paths
  if (first === undefined)
    throw new LocaldError('CONFIG_NOT_FOUND', `no compose file in ${root}`, {
      hint: `Change to the folder of a ${composeNames.join(', ')}, or name the file with \`-f FILE\`.`,
    })
  const folder = dirname(first)
  const scope = await readVariables(folder, env, readText)
  const model = await new Loader(env, readText).load(paths, { folder, scope })
  const findings = new Findings()
  const profiles = (scope('COMPOSE_PROFILES') ?? '').split(',').map(profile => profile.trim())
  const project: ComposeProject = {
    root,
    folder,
    model,
    scope,
    names: new Names(model),
    isActive: name => isActive(entryOf(model, 'services', name), profiles),
  }
  const sections = await translateServices(project, findings, env['PATH'] ?? '')
  noteTopLevel(model, findings)
  if (folder !== root) noteOtherFolder(folder, root, sections, findings, model)
  if (findings.refused.length > 0)
    throw new LocaldError('IMPORT_UNSUPPORTED', 'the compose files need what locald does not have', {
      hint: 'Remove these keys, or give their services a profile so that they are left out. Nothing was written.',
      problems: findings.problems,
    })
  const written = sections.filter(({ isInactive }) => isInactive !== true)
  const names = paths.map(path => basename(path)).join(' and ')
  const label = labelOf(textOf(model.entries.get('name')) ?? basename(root))
  const name = reserved.includes(label) ? `${label}-project` : label
  return {
    toml: formatToml(
      [`Made from ${names} by \`locald init --from compose\`.`],
      [{ header: ['project'], entries: [{ key: 'name', value: name }] }, ...sections],
    ),
    files: paths,
    services: written.map(({ header }) => header[1] ?? ''),
    dropped: findings.dropped,
    changed: findings.changed,
  }
}

/** Returns the files to read: those that were named, those of COMPOSE_FILE, or those of the folder. */
async function findFiles(
  root: string,
  files: readonly string[],
  readScope: () => Promise<Scope>,
): Promise<readonly string[]> {
  if (files.length > 0) return files.map(file => resolve(root, file))
  const scope = await readScope()
  const listed = (scope('COMPOSE_FILE') ?? '').split(scope('COMPOSE_PATH_SEPARATOR') || ':').filter(file => file !== '')
  return listed.length > 0 ? listed.map(file => resolve(root, file)) : await findComposeFiles(root)
}

/** A service with profiles runs only where one of them is chosen. */
function isActive(service: Node | undefined, chosen: readonly string[]): boolean {
  const profiles = itemsOf(entryOf(service, 'profiles')).map(profile => textOf(profile) ?? '')
  return profiles.length === 0 || profiles.some(profile => chosen.includes(profile)) || chosen.includes('*')
}

async function translateServices(project: ComposeProject, findings: Findings, path: string): Promise<Section[]> {
  const { model } = project
  const table = model.entries.get('services')
  const services = entriesOf(table)
  if (services.length === 0) throw composeError(table?.at ?? model.at, 'no services', 'services')
  const active = services.map(([name]) => name).filter(name => project.isActive(name))
  const cycle = findCycle(model, active)
  if (cycle !== undefined && table !== undefined)
    throw composeError(table.at, `services depend on each other: ${cycle.join(' -> ')}`, 'services')
  const sections: Section[] = []
  for (const [name, node] of services) {
    const section = await translateService(name, node, project, findings, path)
    if (section !== undefined) sections.push(section)
  }
  return sections
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
  sections: readonly Section[],
  findings: Findings,
  model: Mapping,
): void {
  const hasReferences = sections.some(({ entries }) =>
    entries.some(({ key, value }) => key === 'env' && JSON.stringify(value).includes('${')),
  )
  if (hasReferences) findings.add('changed', 'services', `locald reads .env in ${root}, not in ${folder}`, model.at)
}
