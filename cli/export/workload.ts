import { parseDuration } from '../../kernel/lib/duration.ts'
import type { Template } from './environment.ts'
import type { Service } from './project.ts'

/** A folder or volume inside a container. */
export interface Mount {
  /** A name, or a folder that begins with `.`, `~` or `/`; absent: a volume without a name. */
  readonly source?: string
  readonly target: string
  readonly isReadOnly: boolean
}

/** How it is known that a service is ready. */
export interface Check {
  /** What engines without probes of their own run inside. */
  readonly command: string
  readonly probe:
    | { readonly type: 'http'; readonly path: string }
    | { readonly type: 'tcp' }
    | { readonly type: 'command' }
  /** Seconds; undefined where it is not written. */
  readonly interval?: number | undefined
  readonly timeout?: number | undefined
}

/** How an image is built. */
export interface Build {
  readonly context: string
  readonly dockerfile?: string
  readonly target?: string
  readonly args?: Readonly<Record<string, string>>
}

/** A service as a container: what compose and Kubernetes have in common. */
export interface Workload {
  readonly service: Service
  /** `source`: the project's folder is mounted at `appFolder`; `build`: an image is made; else an image is complete. */
  readonly kind: 'source' | 'build' | 'image'
  readonly image?: string
  readonly build?: Build
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  /** Where the command runs, inside. */
  readonly workdir?: string
  /** The port inside. */
  readonly port?: number
  readonly morePorts?: readonly number[]
  readonly env: ReadonlyMap<string, Template>
  readonly mounts: readonly Mount[]
  readonly check?: Check
}

/** Where the project's folder is in a container. */
export const appFolder = '/app'

/** Returns seconds: of a number, or of a text such as `500ms`. */
export function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const ms = parseDuration(String(value))
  return ms === undefined ? undefined : ms / 1000
}

/** Splits a command into words as a shell does, without running one. */
export function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  )
}

/** Returns the name of the image that is to be built for a service. */
export function imageName(project: string, service: string): string {
  return `${project}-${service}:latest`
}
