import type { CommandOptions, Dialect, Engine, EngineCommand } from '../provides.ts'
import type { EnvFiles } from './env-files.ts'
import { passVariables } from './variables.ts'

/** What is known of an engine whose CLI is on this machine. */
export interface CliEngineFacts {
  readonly name: string
  readonly dialect: Dialect
  readonly version: string
  /** Path of its CLI. */
  readonly program: string
  /** The whole environment of its CLI. */
  readonly env: Readonly<Record<string, string>>
  readonly hostName: string | undefined
  readonly isNative: boolean
  shares(path: string): Promise<boolean>
}

/** An engine whose CLI is on this machine: podman or docker. */
export class CliEngine implements Engine {
  readonly name: string
  readonly dialect: Dialect
  readonly version: string
  readonly hostName: string | undefined
  readonly isNative: boolean
  readonly #facts: CliEngineFacts
  readonly #files: EnvFiles

  constructor(facts: CliEngineFacts, files: EnvFiles) {
    this.name = facts.name
    this.dialect = facts.dialect
    this.version = facts.version
    this.hostName = facts.hostName
    this.isNative = facts.isNative
    this.#facts = facts
    this.#files = files
  }

  command(args: readonly string[], { variables = {} }: CommandOptions = {}): EngineCommand {
    const { program, env } = this.#facts
    if (Object.keys(variables).length === 0) return { argv: [program, ...args], env }
    const [word = '', ...rest] = args
    const passing = passVariables(variables, this.#files)
    return { argv: [program, word, ...passing.args, ...rest], env: { ...env, ...passing.env } }
  }

  shares(path: string): Promise<boolean> {
    return this.#facts.shares(path)
  }

  /** Does nothing: engines that run on without locald need no hold. */
  hold(): () => void {
    return () => {}
  }
}
