import type { FastifyPluginAsync } from 'fastify'
import { LocaldError } from './errors.ts'
import type { Features } from './features.ts'
import type { Check, Command, ProjectSource, ServiceType } from './plugin.ts'
import { closest } from './suggest.ts'

interface Owned<T> {
  readonly owner: string
  readonly it: T
}

/** One plugin's contributions while its set-up runs; committed as a whole, or dropped. */
export interface Draft {
  readonly types: ServiceType<unknown>[]
  readonly sources: ProjectSource[]
  readonly checks: Check[]
  readonly commands: Command[]
  readonly routes: { readonly prefix: string; readonly plugin: FastifyPluginAsync }[]
  readonly closers: (() => Promise<void> | void)[]
}

export function emptyDraft(): Draft {
  return { types: [], sources: [], checks: [], commands: [], routes: [], closers: [] }
}

/** What plugins have registered, each with its owner. Names are unique: a second one is PLUGIN_CONFLICT. */
export class Contributions {
  readonly #types = new Map<string, Owned<ServiceType<unknown>>>()
  readonly #unavailable = new Map<string, { readonly owner: string; readonly reason: string; readonly hint?: string }>()
  readonly #sources: Owned<ProjectSource>[] = []
  readonly #checks: Owned<Check>[] = []
  readonly #commands = new Map<string, Owned<Command>>()
  readonly #routes = new Map<string, Owned<FastifyPluginAsync>>()
  readonly #closers: Owned<() => Promise<void> | void>[] = []
  readonly #features: Features

  constructor(features: Features) {
    this.#features = features
  }

  /** Takes over a plugin's draft; throws PLUGIN_CONFLICT before anything of it is taken. */
  commit(owner: string, draft: Draft): void {
    for (const { type, isDefault } of draft.types) {
      this.#refuseTwice('service type', type, this.#types.get(type)?.owner, owner)
      const holder = isDefault === true ? this.#defaultOwner() : undefined
      this.#refuseTwice('default service type', type, holder, owner)
    }
    for (const { name } of draft.commands) this.#refuseTwice('command', name, this.#commands.get(name)?.owner, owner)
    for (const { prefix } of draft.routes) this.#refuseTwice('route', prefix, this.#routes.get(prefix)?.owner, owner)
    for (const it of draft.types) this.#types.set(it.type, { owner, it })
    for (const it of draft.sources) this.#sources.push({ owner, it })
    for (const it of draft.checks) this.#checks.push({ owner, it })
    for (const it of draft.commands) this.#commands.set(it.name, { owner, it })
    for (const { prefix, plugin } of draft.routes) this.#routes.set(prefix, { owner, it: plugin })
    for (const it of draft.closers) this.#closers.push({ owner, it })
  }

  /** Remembers the types of a plugin that is off or broken, so that a refusal can say why. */
  markUnavailable(owner: string, types: readonly string[], reason: string, hint?: string): void {
    for (const type of types) this.#unavailable.set(type, { owner, reason, ...(hint === undefined ? {} : { hint }) })
  }

  /** A driver, or the reason why there is none: feature off, plugin off or broken, a spelling. */
  findType(type: string): ServiceType<unknown> | LocaldError {
    const found = this.#types.get(type)
    if (found !== undefined) {
      const off = (found.it.requires ?? []).map(name => this.#features.get(name)).find(feature => !feature.on)
      if (off === undefined) return found.it
      return this.#refusal(type, off.reason ?? `feature ${off.name} is off`, off.hint, found.owner)
    }
    const lost = this.#unavailable.get(type)
    if (lost !== undefined) return this.#refusal(type, lost.reason, lost.hint, lost.owner)
    const near = closest(type, this.typeNames())
    const hint =
      near === undefined
        ? `Types: ${this.typeNames().join(', ')}. \`locald plugins list\` shows what provides them.`
        : `Did you mean '${near}'?`
    return this.#refusal(type, 'no plugin provides it', hint)
  }

  typeNames(): readonly string[] {
    return [...this.#types.keys()]
  }

  get defaultType(): string {
    return [...this.#types.values()].find(({ it }) => it.isDefault === true)?.it.type ?? ''
  }

  sources(): readonly ProjectSource[] {
    return this.#sources.map(({ it }) => it)
  }

  checks(): readonly Owned<Check>[] {
    return this.#checks
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

  closers(): readonly Owned<() => Promise<void> | void>[] {
    return this.#closers
  }

  /** What one plugin provides, for `plugins list`. */
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

  #defaultOwner(): string | undefined {
    return [...this.#types.values()].find(({ it }) => it.isDefault === true)?.owner
  }

  #refuseTwice(what: string, name: string, holder: string | undefined, owner: string): void {
    if (holder === undefined) return
    throw new LocaldError(
      'PLUGIN_CONFLICT',
      `plugin ${owner} registers the ${what} '${name}', which plugin ${holder} has already`,
      {
        plugin: owner,
        hint: `Turn one of them off: [plugins.${owner}] enabled = false`,
      },
    )
  }
}
