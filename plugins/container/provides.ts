declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** The container plugin's: where other plugins register container engines. */
    readonly containerEngines: ContainerEngines
  }
}

/** The register of container engines. */
export interface ContainerEngines {
  /** Adds an engine; during hook `loaded`, before services are adopted. One for each name. */
  add(source: EngineSource): void
}

/** How an engine's CLI talks: which flags it knows, and how it prints. */
export type Dialect = 'podman' | 'docker' | 'nerdctl'

/** An engine that may be there. */
export interface EngineSource {
  /** What `[plugins.container] engine` and `locald container engine` call it. */
  readonly name: string
  /** Whether its program is on this machine; fast. Without this method the flag `containers` does not count it. */
  isInstalled?(): boolean
  /** Finds out what is there, without starting anything. */
  look(signal?: AbortSignal): Promise<EngineFound>
  /**
   * Returns it ready for use; starts it where that needs no question. Rejects with ENGINE_FAILED. `step` reports what
   * takes longer than a second.
   */
  open(step: (text: string) => void, signal?: AbortSignal): Promise<Engine>
}

/** What is known of an engine before it is used. */
export type EngineFound =
  /** `running`: it answers. `startable`: `open` starts it without a question. */
  | { readonly state: 'running' | 'startable'; readonly version: string; readonly detail?: string }
  /** It cannot be used; `hint` is an imperative. */
  | { readonly state: 'absent'; readonly reason: string; readonly hint: string }

/** An engine in use. */
export interface Engine {
  readonly name: string
  readonly dialect: Dialect
  readonly version: string
  /** The engine's CLI with these arguments, as a child of locald. */
  command(args: readonly string[], options?: CommandOptions): EngineCommand
  /**
   * The name by which its containers reach what listens on this machine's loopback; undefined where it offers none, as
   * on Linux.
   */
  readonly hostName: string | undefined
  /** Whether its containers run on this machine's own kernel: their files and Unix sockets can then be shared. */
  readonly isNative: boolean
  /** By how much longer its commands may take than those of an engine on this machine; absent: not longer. */
  readonly patience?: number
  /** Returns whether containers see a folder of this machine; a VM shows them some only. */
  shares(path: string): Promise<boolean>
  /** How to make it share a folder that it does not: an imperative. */
  readonly sharingHint?: string
  /** Keeps a VM engine up while a service of locald uses it, by its key; the result gives it back. */
  hold(key: string): () => void
  /** Whether it is still ready for use, else its source opens it again; absent: it always is. */
  isOpen?(): boolean
  /**
   * Resolves when TCP ports that its containers publish on 127.0.0.1 are forwarded to this machine, or when nothing
   * listens on them in its VM; absent: they need no forwarding, or its failure shows in `run`. Rejects with PORT_TAKEN or
   * ENGINE_FAILED.
   */
  published?(ports: readonly number[], signal?: AbortSignal): Promise<void>
}

/** How a command of the engine is run. */
export interface CommandOptions {
  /**
   * Variables for a container that `args` runs (`run`, `create`, `exec`). Their values appear in no argv; the engine adds
   * what passes them on after the first word of `args`.
   */
  readonly variables?: Readonly<Record<string, string>>
  /** A terminal is on stdin and stdout. */
  readonly tty?: boolean
}

/** A program to run: argv, its whole environment, and what it reads first on stdin. */
export interface EngineCommand {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly input?: string
}
