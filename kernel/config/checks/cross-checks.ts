import type { Route, ServicePlan, ServiceType } from '../../contract/plugin.ts'
import { closest } from '../../system/suggest.ts'
import type { Problems } from '../document/problems.ts'
import { isTable, own, type Path } from '../document/table.ts'
import { withSuggestion } from '../fields/suggestions.ts'
import { parseCommand } from '../references/command-template.ts'
import { isForeignKey, ownName } from '../references/foreign-key.ts'
import { type Name, nameText, parseTemplate, referencesOf } from '../references/interpolation.ts'
import type { ReadService } from '../tables/service.ts'
import { cycles } from './dependency-graph.ts'
import { networkOf } from './network.ts'

/** What references are checked in: the services, and the name of their project. */
interface Within {
  readonly project: string
  readonly services: readonly ReadService[]
}

/** Checks what only all services together show: dependencies, ports, routes and references. */
export function checkServices(
  services: readonly ReadService[],
  frame: {
    readonly name: string
    readonly env: Readonly<Record<string, string>>
    readonly routes: readonly Route[]
  },
  problems: Problems,
): void {
  checkDependencies(services, problems)
  checkPorts(services, problems)
  checkRoutes(services, frame.routes, problems)
  const within = { project: frame.name, services }
  checkReferences(['env'], frame.env, within, problems)
  for (const { plan } of services) {
    checkReferences(['services', plan.name, 'env'], plan.common.env, within, problems)
    checkCommands(plan, within, problems)
  }
}

function namesOf(services: readonly ReadService[]): readonly string[] {
  return services.map(({ plan }) => plan.name)
}

function checkDependencies(services: readonly ReadService[], problems: Problems): void {
  const names = namesOf(services)
  for (const { plan, table } of services) {
    for (const name of Object.keys(plan.common.dependsOn)) {
      if (names.includes(name)) continue
      problems.add(dependencyPath(plan.name, table, name), {
        message: withSuggestion(`unknown service '${name}'`, closest(name, names)),
      })
    }
  }
  const graph = services.map(({ plan }) => ({ name: plan.name, dependsOn: Object.keys(plan.common.dependsOn) }))
  for (const cycle of cycles(graph)) {
    const [first, second] = cycle
    const table = services.find(({ plan }) => plan.name === first)?.table
    if (first === undefined || second === undefined || table === undefined) continue
    const message =
      first === second ? `depends on itself: ${cycle.join(' → ')}` : `dependency cycle: ${cycle.join(' → ')}`
    problems.add(dependencyPath(first, table, second), {
      message,
      code: 'DEPENDENCY_CYCLE',
      hint: 'Remove one of these dependencies.',
    })
  }
}

/** Returns the path of one dependency: its key in a table, its index in an array. */
function dependencyPath(service: string, table: ReadService['table'], dependency: string): Path {
  const path = ['services', service, 'depends_on']
  const written = own(table, 'depends_on')
  // `shop:web` is the `web` of the project itself.
  const isMeant = (name: unknown) =>
    name === dependency || (typeof name === 'string' && name.endsWith(`:${dependency}`))
  if (Array.isArray(written)) return [...path, written.findIndex(isMeant)]
  const keys = isTable(written) ? Object.keys(written) : []
  return [...path, keys.includes(dependency) ? dependency : (keys.find(isMeant) ?? dependency)]
}

function checkPorts(services: readonly ReadService[], problems: Problems): void {
  const taken = new Map<number, string>()
  for (const { plan, driver } of services) {
    const { port, healthCheck } = plan.common
    const none = driver !== undefined && networkOf(driver, plan) === 'none'
    if (none && (healthCheck?.type === 'http' || healthCheck?.type === 'tcp')) {
      problems.add(['services', plan.name, 'health_check'], {
        message: `needs a port, and type '${plan.type}' has none${asConfigured(driver)}`,
      })
    }
    if (driver?.reach === 'guest' && healthCheck?.type === 'notify') {
      problems.add(['services', plan.name, 'health_check'], {
        message: `type "notify" needs a process of this machine, and services of type '${plan.type}' have none`,
        hint: 'Use a check of type "http", "tcp", "command" or "log".',
      })
    }
    if (port === undefined) continue
    const holder = taken.get(port)
    const path = ['services', plan.name, 'port']
    if (none) problems.add(path, { message: `type '${plan.type}' has no port${asConfigured(driver)}` })
    else if (holder !== undefined) problems.add(path, { message: `service '${holder}' has port ${port} already` })
    else taken.set(port, plan.name)
  }
}

function checkRoutes(services: readonly ReadService[], routes: readonly Route[], problems: Problems): void {
  const names = namesOf(services)
  for (const { prefix, service } of routes) {
    const target = services.find(({ plan }) => plan.name === service)
    if (target === undefined) {
      problems.add(['routes', prefix], {
        message: withSuggestion(`unknown service '${service}'`, closest(service, names)),
      })
    } else if (target.driver !== undefined && networkOf(target.driver, target.plan) !== 'web') {
      problems.add(['routes', prefix], {
        message: `service '${service}' is of type '${target.plan.type}', which serves no HTTP${asConfigured(target.driver)}`,
      })
    }
  }
}

/** Qualifies what a type has not: of others, each service decides by its keys. */
function asConfigured(driver: ReadService['driver']): string {
  return typeof driver?.network === 'function' ? ' with these keys' : ''
}

function checkReferences(at: Path, env: Readonly<Record<string, string>>, within: Within, problems: Problems): void {
  for (const [key, text] of Object.entries(env)) {
    const parts = parseTemplate(text)
    if ('malformed' in parts) continue
    const messages = referencesOf(parts).map(({ name }) => fault(name, within))
    for (const message of new Set(messages)) if (message !== undefined) problems.add([...at, key], { message })
  }
}

function checkCommands({ name, common }: ServicePlan, within: Within, problems: Problems): void {
  for (const [command, { run, args }] of Object.entries(common.commands ?? {})) {
    const parsed = parseCommand(run, Object.keys(args))
    const names = 'fault' in parsed ? [] : parsed.names
    const messages = names.map(each => (each.of === 'argument' ? undefined : fault(each, within)))
    const path = ['services', name, 'commands', command, 'run']
    for (const message of new Set(messages)) if (message !== undefined) problems.add(path, { message })
  }
}

function fault(written: Name, { project, services }: Within): string | undefined {
  if (written.of !== 'service') return undefined
  const name = { ...written, service: ownName(written.service, project) }
  // Only the other project has the answer.
  if (isForeignKey(name.service)) return undefined
  const names = namesOf(services)
  const target = services.find(({ plan }) => plan.name === name.service)
  if (target === undefined)
    return withSuggestion(
      `unknown service '${name.service}' in \${${nameText(written).slice(0, -name.field.length)}…}`,
      closest(name.service, names),
    )
  const { driver, plan } = target
  if (driver === undefined || (driver.exports !== undefined && !name.field.startsWith('ports.'))) return undefined
  const hasPort = networkOf(driver, plan) !== 'none'
  const fields = [...(hasPort ? ['port', 'host', 'url'] : []), ...insidePorts(driver, plan)]
  // Without valid options, which was reported, its ports are not known.
  if (fields.includes(name.field) || plan.options === undefined) return undefined
  if (fields.length === 0)
    return `service '${name.service}' has no port, host or url: type '${plan.type}' has no network${asConfigured(driver)}`
  return withSuggestion(
    `service '${name.service}' has no '${name.field}', only ${fields.join(', ')}`,
    closest(name.field, fields),
  )
}

/** Returns the fields of the ports that a service has inside: a guest's main one, and those that its type declares. */
function insidePorts(driver: ServiceType<unknown>, { options }: ServicePlan): readonly string[] {
  if (options === undefined) return []
  const main = driver.guestPort?.(options)
  const all = [...(main === undefined ? [] : [main]), ...(driver.ports?.(options) ?? [])]
  return [...new Set(all)].map(port => `ports.${port}`)
}
