import { isVariable } from '../config/names.ts'
import { isOwnTable } from '../config/tables/plugin-tables.ts'
import type {
  Check,
  Command,
  DaemonPort,
  FeatureName,
  FeatureState,
  PluginTable,
  ProjectDetector,
  ProjectSource,
  ReservedHost,
  ServiceType,
  Topic,
  Variable,
} from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/*
 * Checks of what a plugin declares. Many plugins are written in JavaScript: a mistake that is reported in `setup` names
 * the plugin, while found later it would fail a user's `locald up`. Each throws PLUGIN_SETUP.
 */

const label = /^[a-z][a-z0-9-]*$/
const words = /^[a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)*$/
const feature = /^[a-z][a-z0-9-]*(?::[a-z][a-z0-9-]*)?$/
const tableName = /^[a-z][a-z0-9_]*$/
const prefix = /^(?:\/[\w.-]+)+$/

const typeFunctions = [
  'prepare',
  'problems',
  'adopt',
  'reset',
  'exports',
  'oneOff',
  'protocol',
  'ports',
  'guestPort',
  'guestHost',
]

export function checkType(it: ServiceType<unknown>): void {
  requireObject('service()', it)
  requireThat(isText(it.type) && label.test(it.type), "a service type's name is lower-case letters, digits and '-'")
  const what = `service type '${it.type}'`
  requireThat(
    isObject(it.shape) && isObject(it.shape.schema),
    `${what} has no shape: make it with shape({ type: 'object', … })`,
  )
  requireFunctions(what, it, ['start'], typeFunctions)
  requireThat(
    it.network === undefined || typeof it.network === 'function' || ['web', 'port', 'none'].includes(it.network),
    `${what}: network is web, port or none, or a function that returns one`,
  )
  checkReach(what, it)
  requireThat(it.requires === undefined || Array.isArray(it.requires), `${what}: requires is a list of features`)
  for (const name of it.requires ?? []) checkFeatureName(name)
}

/** Checks what only guests have: on a host service it would be without effect. */
function checkReach(what: string, it: ServiceType<unknown>): void {
  const { reach, guestPort, guestHost, hostName } = it
  requireThat(reach === undefined || ['host', 'guest'].includes(reach), `${what}: reach is host or guest`)
  requireThat(hostName === undefined || isText(hostName), `${what}: hostName is a text`)
  for (const [name, value] of Object.entries({ guestPort, guestHost, hostName }))
    requireThat(value === undefined || reach === 'guest', `${what}: ${name} is for types with reach 'guest'`)
}

export function checkSource(it: ProjectSource | ProjectDetector): void {
  requireObject('source()', it)
  if ('detect' in it) {
    requireThat(
      Array.isArray(it.files) && it.files.length > 0 && it.files.every(isText),
      "a detector's files are names in the project's folder",
    )
    requireThat(it.description === undefined || isText(it.description), "a detector's description is a text")
    requireFunctions('the detector', it, ['detect'])
    if (it.translator === undefined) return
    requireThat(isText(it.translator.format), "a translator's format is a text")
    requireFunctions('the translator', it.translator, ['translate'])
    return
  }
  requireThat(isText(it.file) && !it.file.includes('/'), "a source's file is a name in the project's folder")
  requireThat(it.description === undefined || isText(it.description), `source '${it.file}': description is a text`)
  requireFunctions(`source '${it.file}'`, it, ['read'])
}

export function checkCheck(it: Check): void {
  requireObject('check()', it)
  requireThat(isText(it.id) && isText(it.title), 'a check has an id and a title')
  requireFunctions(`check '${it.id}'`, it, ['run'])
}

export function checkCommand(it: Command): void {
  requireObject('command()', it)
  requireThat(isText(it.name) && words.test(it.name), "a command's name is words of lower-case letters, digits and '-'")
  requireThat(isText(it.description), `command '${it.name}' has no description`)
  requireFunctions(`command '${it.name}'`, it, ['run'])
}

export function checkRoutes(path: string, plugin: unknown): void {
  requireThat(
    isText(path) && prefix.test(path),
    "a prefix of routes is a path such as '/redis', without a slash at its end",
  )
  requireThat(typeof plugin === 'function', `routes of '${path}' are a fastify plugin: async app => { … }`)
}

export function checkTable(it: PluginTable): void {
  requireObject('table()', it)
  requireThat(isText(it.name) && tableName.test(it.name), "a table's name is lower-case letters, digits and '_'")
  requireThat(!isOwnTable(it.name), `[${it.name}] is a table of locald itself`)
  requireThat(
    isObject(it.shape) && isObject(it.shape.schema),
    `table '${it.name}' has no shape: make it with shape({ type: 'object', … })`,
  )
}

/** The topics of the kernel. */
const ownTopics = ['events', 'logs', 'usage', 'problem']

export function checkTopic(it: Topic): void {
  requireObject('topic()', it)
  requireThat(isText(it.name) && label.test(it.name), "a topic's name is lower-case letters, digits and '-'")
  requireThat(!ownTopics.includes(it.name), `'${it.name}' is a topic of locald itself`)
  requireFunctions(`topic '${it.name}'`, it, ['open'])
}

export function checkVariable(it: Variable): void {
  requireObject('variable()', it)
  requireThat(isText(it.name) && isVariable(it.name), "a variable's name is letters, digits and '_'")
  const what = `variable '${it.name}'`
  requireThat(['override', 'fallback'].includes(it.rank), `${what}: rank is override or fallback`)
  requireFunctions(what, it, ['value'], ['check'])
}

export function checkReserved(it: ReservedHost): void {
  requireObject('reserve()', it)
  requireThat(isText(it.host) && isText(it.what), 'a reserved host has a host and what is served there')
}

export function checkPort(it: DaemonPort): void {
  requireObject('port()', it)
  requireThat(isText(it.name) && isText(it.hint), 'a port has a name and a hint')
  requireFunctions(`port '${it.name}'`, it, ['port'])
}

export function checkFunction(what: string): (it: unknown) => void {
  return it => requireThat(typeof it === 'function', `${what} needs a function`)
}

export function checkFeature(name: FeatureName, state: FeatureState | (() => FeatureState)): void {
  checkFeatureName(name)
  // A function may not have its answer yet; its states are checked as they are read.
  if (typeof state !== 'function') checkFeatureState(name, state)
}

export function checkFeatureState(name: FeatureName, state: FeatureState): void {
  requireObject(`feature '${name}'`, state)
  requireThat(typeof state.on === 'boolean', `feature '${name}': on is true or false`)
  requireThat(state.on || isText(state.reason), `feature '${name}' is off without a reason`)
  requireThat(state.title === undefined || isText(state.title), `feature '${name}': title is a text`)
}

export function checkProvision(name: unknown, make: unknown, close: unknown): void {
  requireThat(isText(name), 'what a plugin provides has a name')
  requireThat(typeof make === 'function', `provide('${name}') needs a function that makes it`)
  requireThat(close === undefined || typeof close === 'function', `provide('${name}'): close is a function`)
}

const reportName = /^[a-z][a-z-]*$/

export function checkReport(name: unknown, read: unknown): void {
  requireThat(
    isText(name) && reportName.test(name),
    `the name of a report is of letters and dashes, not '${String(name)}'`,
  )
  requireThat(typeof read === 'function', `report('${name}') needs a function that reads it`)
}

function checkFeatureName(name: unknown): void {
  requireThat(isText(name) && feature.test(name), `a feature's name is 'name' or 'plugin:name', not '${String(name)}'`)
}

function requireFunctions(
  what: string,
  it: object,
  required: readonly string[],
  optional: readonly string[] = [],
): void {
  for (const name of [...required, ...optional]) {
    const value: unknown = Reflect.get(it, name)
    const missing = value === undefined && optional.includes(name)
    requireThat(missing || typeof value === 'function', `${what} has no function ${name}()`)
  }
}

function requireObject(what: string, it: unknown): void {
  requireThat(isObject(it), `${what} needs an object`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function requireThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new LocaldError('PLUGIN_SETUP', otherwise)
}
