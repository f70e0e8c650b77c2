import { createHash } from 'node:crypto'
import type { ProjectRef } from '../../kernel/contract/plugin.ts'

/** What one of our containers is for. */
export type Kind = 'service' | 'tunnel' | 'one-off'

/** The name by which containers reach this machine's loopback. */
export const hostAlias = 'host.docker.internal'

/** A label's value by its name. */
export type Labels = Readonly<Record<string, string>>

/** The labels on all that locald makes with an engine. */
export const label = {
  owner: 'dev.locald.owner',
  project: 'dev.locald.project',
  path: 'dev.locald.path',
  service: 'dev.locald.service',
  kind: 'dev.locald.kind',
} as const

/** Longer parts are cut, and a hash makes them unique: names of containers are host names, too (RFC 1035: 63 bytes). */
const longestPart = 40

/**
 * The names and labels of what a daemon makes with an engine. Names are deterministic, so that a start finds what a
 * crash left behind; two daemons with other data folders share nothing.
 */
export class Names {
  /** Distinguishes daemons: six hexadecimal digits of their data folder. */
  readonly owner: string

  constructor(dataFolder: string) {
    this.owner = hashOf(dataFolder).slice(0, 6)
  }

  container(project: ProjectRef, service: string): string {
    return this.#name(project.name, service)
  }

  network(project: ProjectRef): string {
    return this.#name(project.name)
  }

  /** The container by which others reach this machine; no service can have such a name. */
  forwarder(project: ProjectRef): string {
    return this.#name(project.name, 'tunnel.host')
  }

  /** The volume that `volumes = ["NAME:/path"]` names; services of a project share it. */
  volume(project: ProjectRef, name: string): string {
    return this.#name(project.name, name)
  }

  /** The volume of one service alone for a path inside; `image`: it is of this image's id. */
  ownVolume(project: ProjectRef, service: string, path: string, image = ''): string {
    return this.#name(project.name, `${service}-${hashOf(`${path}\0${image}`).slice(0, 8)}`)
  }

  /** The image that a service's `build` makes. */
  image(project: ProjectRef, service: string): string {
    return `localhost/locald-${this.owner}/${project.name}/${service}:latest`
  }

  labels(project: ProjectRef, service?: string, kind?: Kind): Labels {
    return {
      [label.owner]: this.owner,
      [label.project]: project.name,
      [label.path]: project.path,
      ...(service === undefined ? {} : { [label.service]: service }),
      ...(kind === undefined ? {} : { [label.kind]: kind }),
    }
  }

  /** Without `_` service `api-db` of project `shop` and service `db` of `shop-api` would have one name, and one volume. */
  #name(project: string, ...parts: readonly string[]): string {
    return ['locald', shorten(project).replaceAll('-', '_'), ...parts.map(shorten), this.owner].join('-')
  }
}

/** Returns the flags that set labels. */
export function labelFlags(labels: Labels): readonly string[] {
  return Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
}

function shorten(part: string): string {
  return part.length <= longestPart ? part : `${part.slice(0, longestPart - 7)}-${hashOf(part).slice(0, 6)}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
