import type { FastifyPluginAsync } from 'fastify'
import type {
  Check,
  Command,
  DaemonPort,
  PluginTable,
  ProjectDetector,
  ProjectSource,
  ReadDisk,
  ReservedHost,
  ServiceType,
  SharedUrl,
  ShareSource,
  StatusValue,
  Topic,
  UrlSource,
  Variable,
  Warning,
} from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import { closest } from '../system/suggest.ts'
import type { Draft, Opener, StatusSource } from './draft.ts'
import { checkOf, type Features } from './features.ts'

interface Owned<T> {
  readonly owner: string
  readonly it: T
}

/** What plugins have registered, each with its owner. Names are unique: a second one is PLUGIN_CONFLICT. */
export class Contributions {
  readonly #types = new Map<string, Owned<ServiceType<unknown>>>()
  readonly #unavailable = new Map<string, { readonly owner: string; readonly reason: string; readonly hint: string }>()
  readonly #sources: Owned<ProjectSource | ProjectDetector>[] = []
  readonly #checks: Owned<Check>[] = []
  readonly #commands = new Map<string, Owned<Command>>()
  readonly #routes = new Map<string, Owned<FastifyPluginAsync>>()
  readonly #tables = new Map<string, Owned<PluginTable>>()
  readonly #topics = new Map<string, Owned<Topic>>()
  readonly #variables = new Map<string, Owned<Variable>>()
  readonly #reserved: ReservedHost[] = []
  readonly #ports: DaemonPort[] = []
  readonly #reports: Draft['reports'][number][] = []
  readonly #disks: Owned<ReadDisk>[] = []
  readonly #warnings: (() => readonly Warning[])[] = []
  readonly #statuses: StatusSource[] = []
  #urls: Owned<UrlSource> | undefined
  #shares: Owned<ShareSource> | undefined
  #opener: Owned<Opener> | undefined
  readonly #urlListeners: (() => void)[] = []
  readonly #features: Features

  constructor(features: Features) {
    this.#features = features
  }

  /** Applies a plugin's draft as a whole; throws PLUGIN_CONFLICT where a name of it is taken. */
  commit(owner: string, draft: Draft): void {
    const { types, sources, checks, commands, routes, tables, topics, variables, urls, shares, openers } = draft
    const claims: Claim[] = [
      ...types.map(({ type }) => ({ what: `service type '${type}'`, holder: this.#types.get(type)?.owner })),
      ...types.filter(isDefault).map(() => ({ what: 'default service type', holder: this.#default?.owner })),
      ...commands.map(({ name }) => ({ what: `command '${name}'`, holder: this.#commands.get(name)?.owner })),
      ...routes.map(({ prefix }) => ({ what: `routes '${prefix}'`, holder: this.#routes.get(prefix)?.owner })),
      ...tables.map(({ name }) => ({ what: `table '${name}'`, holder: this.#tables.get(name)?.owner })),
      ...topics.map(({ name }) => ({ what: `topic '${name}'`, holder: this.#topics.get(name)?.owner })),
      ...variables.map(({ name }) => ({ what: `variable '${name}'`, holder: this.#variables.get(name)?.owner })),
      ...urls.map(() => ({ what: 'the URLs of host names', holder: this.#urls?.owner })),
      ...shares.map(() => ({ what: 'where services are shared', holder: this.#shares?.owner })),
      ...openers.map(() => ({ what: 'the opener of URLs', holder: this.#opener?.owner })),
    ]
    requireFree(owner, claims)
    for (const it of types) this.#types.set(it.type, { owner, it })
    for (const it of sources) this.#sources.push({ owner, it })
    for (const it of checks) this.#checks.push({ owner, it })
    for (const it of commands) this.#commands.set(it.name, { owner, it })
    for (const { prefix, plugin } of routes) this.#routes.set(prefix, { owner, it: plugin })
    for (const it of tables) this.#tables.set(it.name, { owner, it })
    for (const it of topics) this.#topics.set(it.name, { owner, it })
    for (const it of variables) this.#variables.set(it.name, { owner, it })
    for (const it of urls) this.#urls = { owner, it }
    for (const it of shares) this.#shares = { owner, it }
    for (const it of openers) this.#opener = { owner, it }
    this.#reserved.push(...draft.reserved)
    this.#ports.push(...draft.ports)
    this.#warnings.push(...draft.warnings)
    this.#statuses.push(...draft.statuses)
    this.#reports.push(...draft.reports)
    for (const it of draft.disks) this.#disks.push({ owner, it })
  }

  /**
   * Remembers the types of a plugin that is off or broken, for the error of a service that needs one. The first plugin
   * with a type counts.
   */
  markUnavailable(owner: string, types: readonly string[], reason: string, hint: string): void {
    for (const type of types) if (!this.#unavailable.has(type)) this.#unavailable.set(type, { owner, reason, hint })
  }

  /**
   * Returns a driver, or the error that says why there is none: a feature is off, a plugin off or broken, a name
   * misspelt.
   */
  findType(type: string): ServiceType<unknown> | LocaldError {
    const found = this.#types.get(type)
    if (found !== undefined) {
      const off = (found.it.requires ?? []).map(name => this.#features.get(name)).find(feature => !feature.on)
      if (off === undefined) return found.it
      return this.#refusal(type, off.reason ?? `feature ${off.name} is off`, off.hint, found.owner)
    }
    const lost = this.#unavailable.get(type)
    if (lost !== undefined) return this.#refusal(type, lost.reason, lost.hint, lost.owner)
    const near = closest(type, [...this.#types.keys(), ...this.#unavailable.keys()])
    const hint = `Use one of: ${this.typeNames().join(', ')}. Run \`locald plugins list\` to see which plugin provides each.`
    return this.#refusal(type, `no plugin provides it${near === undefined ? '' : `; did you mean '${near}'?`}`, hint)
  }

  typeNames(): readonly string[] {
    return [...this.#types.keys()]
  }

  get defaultType(): string {
    return this.#default?.it.type ?? ''
  }

  sources(): readonly (ProjectSource | ProjectDetector)[] {
    return this.#sources.map(({ it }) => it)
  }

  /** Returns all checks: those of plugins, then one for each titled feature flag that has none. */
  checks(): readonly Owned<Check>[] {
    const ids = new Set(this.#checks.map(({ it }) => it.id))
    const flags = this.#features.all().filter(({ name, title }) => title !== undefined && !ids.has(name))
    return [...this.#checks, ...flags.map(flag => ({ owner: flag.by, it: checkOf(flag) }))]
  }

  command(name: string): Command | undefined {
    return this.#commands.get(name)?.it
  }

  commandNames(): readonly string[] {
    return [...this.#commands.keys()]
  }

  routes(): readonly { readonly prefix: string; readonly owner: string; readonly plugin: FastifyPluginAsync }[] {
    return [...this.#routes].map(([prefix, { owner, it }]) => ({ prefix, owner, plugin: it }))
  }

  tables(): readonly PluginTable[] {
    return [...this.#tables.values()].map(({ it }) => it)
  }

  topics(): readonly Topic[] {
    return [...this.#topics.values()].map(({ it }) => it)
  }

  variables(): readonly Variable[] {
    return [...this.#variables.values()].map(({ it }) => it)
  }

  /** Returns the plugins that set variables, by the variables' names. */
  variableOwners(): ReadonlyMap<string, string> {
    return new Map([...this.#variables].map(([name, { owner }]) => [name, owner]))
  }

  /** Returns the URL of a host name; null where no plugin serves host names. */
  urlOf(host: string | undefined): string | null {
    return host === undefined ? null : (this.#urls?.it(host) ?? null)
  }

  /** Returns where a service is shared. */
  sharesOf(key: string): readonly SharedUrl[] {
    return this.#shares?.it(key) ?? []
  }

  /** Adds a listener for changes of URLs, also of those by which services are shared. */
  onUrls(listener: () => void): void {
    this.#urlListeners.push(listener)
  }

  urlsChanged(): void {
    for (const listener of this.#urlListeners) listener()
  }

  reservedHosts(): readonly ReservedHost[] {
    return this.#reserved
  }

  /** Returns the listener of the daemon's own on a port. */
  daemonPort(port: number): DaemonPort | undefined {
    return this.#ports.find(own => own.port() === port)
  }

  get opener(): Opener | undefined {
    return this.#opener?.it
  }

  /** Returns what each `up` warns of. */
  warnings(): readonly Warning[] {
    return this.#warnings.flatMap(list => list())
  }

  /** Returns the files that plugins add to a report of the session. */
  reports(): Draft['reports'] {
    return this.#reports
  }

  /** Returns what lists the plugins' things on disk. */
  disks(): readonly Owned<ReadDisk>[] {
    return this.#disks
  }

  /** Returns the fields that plugins add to the daemon's status. */
  status(): Readonly<Record<string, StatusValue>> {
    return Object.assign({}, ...this.#statuses.map(fields => fields()))
  }

  /** Returns what one plugin provides, for `plugins list`. */
  of(owner: string): { readonly types: readonly string[]; readonly commands: readonly string[] } {
    return {
      types: [...this.#types.values()].filter(entry => entry.owner === owner).map(({ it }) => it.type),
      commands: [...this.#commands.values()].filter(entry => entry.owner === owner).map(({ it }) => it.name),
    }
  }

  #refusal(type: string, reason: string, hint?: string, plugin?: string): LocaldError {
    return new LocaldError('SERVICE_TYPE_UNSUPPORTED', `type '${type}' is not available: ${reason}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(plugin === undefined ? {} : { plugin }),
    })
  }

  get #default(): Owned<ServiceType<unknown>> | undefined {
    return [...this.#types.values()].find(({ it }) => isDefault(it))
  }
}

/** A name that a plugin claims, and the plugin that has it already. */
interface Claim {
  readonly what: string
  readonly holder: string | undefined
}

function isDefault(type: ServiceType<unknown>): boolean {
  return type.isDefault === true
}

/** Throws PLUGIN_CONFLICT where a name is taken, or claimed twice. */
function requireFree(owner: string, claims: readonly Claim[]): void {
  const seen = new Set<string>()
  for (const { what, holder } of claims) {
    if (seen.has(what)) throw new LocaldError('PLUGIN_CONFLICT', `${what} is registered twice`, { plugin: owner })
    seen.add(what)
    if (holder === undefined) continue
    throw new LocaldError('PLUGIN_CONFLICT', `${what} is already registered by plugin ${holder}`, {
      plugin: owner,
      hint: `Turn one of them off: \`enabled = false\` in [plugins.${owner}] of config.toml.`,
    })
  }
}
