import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { readJson } from '../../lib/files.ts'
import { textOf } from '../../lib/json.ts'
import { type Endpoint, parseEndpoint } from './endpoint.ts'
import type { EngineMachine } from './machine.ts'

/** Docker's engine as its CLI finds it. */
export interface DockerTarget {
  readonly endpoint: Endpoint
  /** What names it; undefined: nothing does, it is docker's default. */
  readonly namedBy: 'DOCKER_HOST' | 'DOCKER_CONTEXT' | 'context' | undefined
  /** The context's name, where one is used. */
  readonly context: string | undefined
}

/** A context that docker's configuration names and does not have. */
export interface MissingContext {
  readonly missing: string
  readonly namedBy: 'DOCKER_CONTEXT' | 'context'
}

const defaultSocket = '/var/run/docker.sock'

/**
 * Returns the engine that docker's CLI would use: DOCKER_HOST, DOCKER_CONTEXT, or the current context of its
 * configuration, in this order (docker/cli, cli/command/cli.go: resolveContextName).
 */
export async function findDockerTarget(machine: EngineMachine): Promise<DockerTarget | MissingContext> {
  const { env, home } = machine
  const host = env['DOCKER_HOST']
  if (host) return { endpoint: parseEndpoint(host), namedBy: 'DOCKER_HOST', context: undefined }
  const folder = env['DOCKER_CONFIG'] || join(home, '.docker')
  const given = env['DOCKER_CONTEXT']
  const current = given || textOf(await readJson(join(folder, 'config.json')), 'currentContext')
  const namedBy = given ? 'DOCKER_CONTEXT' : 'context'
  if (current === undefined || current === 'default') {
    return { endpoint: parseEndpoint(defaultSocket), namedBy: given ? namedBy : undefined, context: undefined }
  }
  const id = createHash('sha256').update(current).digest('hex')
  const meta = await readJson(join(folder, 'contexts', 'meta', id, 'meta.json'))
  const url = textOf(meta, 'Endpoints', 'docker', 'Host')
  if (url === undefined) return { missing: current, namedBy }
  return { endpoint: parseEndpoint(url), namedBy, context: current }
}
