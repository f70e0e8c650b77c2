import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { closure } from '../config/checks/dependency-graph.ts'
import type { LoadedProject } from '../config/load.ts'
import type { ProjectPlan, ServicePlan, ServiceRef, ServiceType, Variable, Warning } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Contributions } from '../plugins/contributions.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import { signatureOf } from '../system/file-signature.ts'
import { type Environment, type EnvironmentInput, environmentOf } from './environment/environment.ts'
import { resolveAll } from './environment/errors.ts'
import { ignoredVariables } from './environment/ignored-variables.ts'
import { sourcesOf } from './environment/sources.ts'
import { workdirOf } from './service.ts'
import type { OwnVariables, ResolvedEnvironment, StartPlan, Wiring } from './start-plan.ts'

/** What an environment is resolved from, besides the variables that locald sets. */
export interface EnvironmentSource {
  readonly shell: Readonly<Record<string, string>>
  /** The plan, with the name and domain that the project has. */
  readonly project: ProjectPlan
  readonly service: ServicePlan
  readonly ref: ServiceRef
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
  readonly locate: EnvironmentInput['locate']
  readonly envFiles?: EnvironmentInput['envFiles']
  /** Where the service runs. */
  readonly reach?: ServiceType<unknown>['reach']
  /** Returns the ports on this machine of those of the named services that run on it; for a guest. */
  readonly hostPorts?: (services: readonly string[]) => readonly number[]
  readonly hooks: HookRuns
  /** Variables that plugins set. */
  readonly contributed: readonly Variable[]
  /** The plugins that set them, by their names. */
  readonly owners?: ReadonlyMap<string, string>
}

/** What a start plan is made from. */
export interface StartSource extends EnvironmentSource {
  readonly driver: ServiceType<unknown>
  readonly dir: string
  /** The present port, URL and dependencies. */
  wiring(): Wiring
}

/** What `variableWarnings` compares with. */
interface VariableChecks {
  readonly contributed: readonly Variable[]
  readonly fallbacks: OwnVariables['fallbacks']
  readonly dir: string
}

/** An environment before the `env` hook. */
interface BaseEnvironment {
  readonly environment: Environment
  /** The services that it refers to. */
  readonly referred: readonly string[]
  /** Whether all that it was made from is as it was. */
  isCurrent(wiring: Wiring): Promise<boolean>
}

/**
 * Makes the plan of a start. `last` is used again while it is current; the `env` hook runs each time, as a plugin may
 * add what is known only once dependencies are ready. Throws ENV_UNRESOLVED where a reference has no value.
 */
export async function startPlan(source: StartSource, last?: BaseEnvironment): Promise<StartPlan> {
  const wiring = source.wiring()
  const base = (await last?.isCurrent(wiring)) ? last : undefined
  const current = base ?? (await baseEnvironment(source, wiring))
  return {
    ...outlinePlan(source, wiring),
    ...(await finishEnvironment(source, wiring, current)),
    renew: () => startPlan(source, current),
  }
}

async function baseEnvironment(source: StartSource, wiring: Wiring): Promise<BaseEnvironment> {
  const files = await envFileSignatures(source)
  const { read, lookup } = recordLookups(source)
  const environment = await environmentOf(inputOf({ ...source, lookup }, wiring))
  return {
    environment,
    referred: read.map(({ service }) => service),
    isCurrent: async ({ port, variables }) =>
      port === wiring.port &&
      isDeepStrictEqual(variables, wiring.variables) &&
      read.every(({ service, field, value }) => source.lookup(service, field) === value) &&
      isDeepStrictEqual(await envFileSignatures(source), files),
  }
}

/** Returns a plan without an environment: for what a service exports, and for what ran before this daemon. */
export function outlinePlan(source: StartSource, wiring = source.wiring()): StartPlan {
  const { service, driver, dir } = source
  const nothing: ResolvedEnvironment = {
    env: {},
    fingerprint: '',
    hostPorts: [],
    warnings: [],
    sources: async () => new Map(),
  }
  return { ...{ plan: service, driver, dir }, ...wiring, ...nothing, renew: () => startPlan(source) }
}

/** Resolves a service's environment. Throws ENV_UNRESOLVED where a reference has no value. */
export async function resolveEnvironment(
  source: EnvironmentSource,
  wiring: Pick<Wiring, 'port' | 'ports' | 'variables'>,
): Promise<ResolvedEnvironment> {
  const { read, lookup } = recordLookups(source)
  const environment = await environmentOf(inputOf({ ...source, lookup }, wiring))
  return await finishEnvironment(source, wiring, { environment, referred: read.map(({ service }) => service) })
}

/** A value that was read from another service. */
interface ReadValue {
  readonly service: string
  readonly field: string
  readonly value: string | undefined
}

/** Returns a lookup that keeps what was read. */
function recordLookups({ lookup }: Pick<EnvironmentSource, 'lookup'>) {
  const read: ReadValue[] = []
  return {
    read,
    lookup(service: string, field: string): string | undefined {
      const value = lookup(service, field)
      read.push({ service, field, value })
      return value
    },
  }
}

function inputOf(source: EnvironmentSource, { variables }: Pick<Wiring, 'variables'>): EnvironmentInput {
  const { shell, project, service, lookup, locate, envFiles, reach } = source
  const { own, defaults, fallbacks } = variables
  return {
    ...{ plan: project, service, own, defaults, lookup, envFiles },
    shell: { ...fallbacks, ...shell },
    isGuest: reach === 'guest',
    ...(locate === undefined ? {} : { locate }),
  }
}

/** Lets plugins add to an environment, and finds what is wrong with it. */
async function finishEnvironment(
  source: EnvironmentSource,
  { port, ports, variables: { fallbacks } }: Pick<Wiring, 'port' | 'ports' | 'variables'>,
  { environment: found, referred }: Pick<BaseEnvironment, 'environment' | 'referred'>,
): Promise<ResolvedEnvironment> {
  const { project, service, ref, hooks, contributed, owners = new Map(), shell, reach = 'host' } = source
  const { read, lookup } = recordLookups(source)
  const { env, layers } = found
  const dir = workdirOf(project, service, reach)
  const setters = new Map<string, string>()
  const context = {
    ...{ dir, reach },
    dependencies: Object.keys(service.common.dependsOn).flatMap(
      name => project.services.find(other => other.name === name) ?? [],
    ),
    isOwn: (variable: string) => (layers.get(variable) ?? 'shell') !== 'shell',
    lookup,
  }
  const final = await hooks.env({ ...env }, ref, context, (name, plugin) => setters.set(name, plugin))
  const ofProject = Object.fromEntries(Object.entries(final).filter(([name]) => layers.get(name) !== 'shell'))
  // Whatever a shell sets instead.
  for (const [name, value] of Object.entries(fallbacks)) ofProject[name] ??= value
  const warnings = [
    ...(await ignoredVariables(project, found)),
    ...(await variableWarnings(env, { contributed, fallbacks, dir })),
  ]
  const { dependsOn, foreign = {} } = service.common
  const needed = [...Object.keys({ ...dependsOn, ...foreign }), ...referred, ...read.map(({ service: name }) => name)]
  const hostPorts = reach === 'guest' ? (source.hostPorts?.(needed) ?? []) : []
  const fingerprint = fingerprintOf(service, { port, ports, hostPorts }, ofProject)
  const sources = () => sourcesOf(found, { shell, owners, hooks: setters })
  return { env: final, fingerprint, hostPorts, warnings, sources }
}

/** Returns what is wrong with what was written in place of the variables that plugins set at present. */
export async function variableWarnings(
  env: Readonly<Record<string, string>>,
  { contributed, fallbacks, dir }: VariableChecks,
): Promise<readonly Warning[]> {
  const found = contributed.map(async ({ name, check }) => {
    const written = env[name]
    const isOther =
      Object.hasOwn(fallbacks, name) && written !== undefined && written !== '' && written !== fallbacks[name]
    return isOther ? await check?.(written, dir) : undefined
  })
  return (await Promise.all(found)).filter(it => it !== undefined)
}

/** Returns a hash of all that makes a difference to the running process. */
export function fingerprintOf(
  plan: ServicePlan,
  { port, ports, hostPorts }: Pick<StartPlan, 'port' | 'ports' | 'hostPorts'>,
  own: Readonly<Record<string, string>>,
): string {
  const { workdir, healthCheck, stopSignal } = plan.common
  const parts = [plan.type, plan.options, workdir, healthCheck, stopSignal, port, Object.entries(own).sort()]
  // Appended only where there are some: the services of an earlier version keep their fingerprints.
  if (hostPorts.length > 0 || Object.keys(ports).length > 0) parts.push(ports, hostPorts)
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

async function envFileSignatures({ project, service }: EnvironmentSource): Promise<readonly (string | undefined)[]> {
  const files = ['.env', ...service.common.envFile].map(file => resolve(project.path, file))
  return await Promise.all(files.map(file => stat(file).then(signatureOf, () => undefined)))
}

/** What the variables of a service depend on besides its plan. */
type KnownTypes = Pick<Contributions, 'findType' | 'variables'>

/**
 * Returns the variables that locald and its plugins set for a service, without values: those are not known before the
 * project is. A guest has no HOST and no fallbacks of plugins.
 */
function knownVariables(
  { type, options }: ServicePlan,
  contributions: KnownTypes,
): Pick<EnvironmentInput, 'own' | 'defaults' | 'isGuest'> {
  const driver = contributions.findType(type)
  const isGuest = !LocaldError.is(driver) && driver.reach === 'guest'
  const contributed = contributions.variables().filter(({ rank }) => !isGuest || rank === 'override')
  const own = Object.fromEntries(contributed.map(({ name }) => [name, '']))
  if (!isGuest) return { own: { ...own, PORT: '' }, defaults: { HOST: '' }, isGuest }
  const hasPort = driver.guestPort?.(options) !== undefined
  return { own: hasPort ? { ...own, PORT: '' } : own, defaults: {}, isGuest }
}

/** Whether a service's environment may have a reference without a value: resolving all of them takes a while. */
function mayLack({ env, path, files }: ProjectPlan, { common }: ServicePlan): boolean {
  // A `.env` that is not watched is a pipe, which is not read before this.
  const isPipe = !files.includes(join(path, '.env'))
  const refers = [env, common.env].some(table => Object.values(table).some(it => it.includes('${')))
  return common.envFile.length > 0 || isPipe || refers
}

/**
 * Finds the references that have no value in a shell, in the environments of the named services and of their
 * dependencies (undefined: of all services). Works before the project is known: the values of other services are taken
 * as empty. Undefined: all have one.
 */
export async function unresolvedIn(
  { plan, locate, envFiles }: Pick<LoadedProject, 'plan' | 'locate' | 'envFiles'>,
  shell: Readonly<Record<string, string>>,
  { names, contributions }: { readonly names?: readonly string[] | undefined; readonly contributions: KnownTypes },
): Promise<LocaldError | undefined> {
  const nodes = plan.services.map(({ name, common }) => ({ name, dependsOn: Object.keys(common.dependsOn) }))
  const meant = new Set(names === undefined ? nodes.map(({ name }) => name) : closure(nodes, names))
  // The configuration check covers what a service offers to others.
  const tries = plan.services
    .filter(service => meant.has(service.name) && mayLack(plan, service))
    .map(service => {
      const known = knownVariables(service, contributions)
      return environmentOf({ plan, service, shell, ...known, locate, envFiles, lookup: () => '' })
    })
  return resolveAll(tries, plan.path).then(
    () => undefined,
    error => LocaldError.from(error),
  )
}

/** Throws the ENV_UNRESOLVED of `unresolvedIn`. */
export async function requireValues(...input: Parameters<typeof unresolvedIn>): Promise<void> {
  const unresolved = await unresolvedIn(...input)
  if (unresolved !== undefined) throw unresolved
}
