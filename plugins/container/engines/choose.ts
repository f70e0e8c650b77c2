import { LocaldError } from '../../../kernel/errors.ts'
import { closest } from '../../lib/suggest.ts'
import type { EngineFound, EngineSource } from '../provides.ts'
import { findDockerTarget } from './contexts.ts'
import { parseEndpoint } from './endpoint.ts'
import { type EngineMachine, findClient } from './machine.ts'

/** An engine that is to be used, and why. */
export interface Choice {
  readonly source: EngineSource
  /** The end of "podman: …". */
  readonly why: string
}

/** What names an engine: the settings, or the environment as engines' own CLIs read it. */
export interface NamedEngine {
  readonly name: string
  readonly by: string
}

/** Returns the engine that `[plugins.container] engine` names, else the one that the environment does. */
export async function findNamed(machine: EngineMachine, setting: string | undefined): Promise<NamedEngine | undefined> {
  if (setting !== undefined) return { name: setting, by: '`[plugins.container] engine`' }
  const { env } = machine
  const variable = ['CONTAINER_HOST', 'CONTAINER_CONNECTION'].find(name => env[name])
  const [podman, docker] = await Promise.all([findClient(machine, 'podman'), findClient(machine, 'docker')])
  if (variable !== undefined && podman !== undefined) return { name: 'podman', by: variable }
  const host = env['DOCKER_HOST']
  // Testcontainers and the like are pointed at podman this way, with or without docker's CLI.
  if (host && podman !== undefined && /podman\.sock$/.test(parseEndpoint(host).socket ?? ''))
    return { name: 'podman', by: 'DOCKER_HOST' }
  if (docker === undefined) return undefined
  const target = await findDockerTarget(machine)
  if (target.namedBy === undefined) return undefined
  return { name: 'docker', by: target.namedBy === 'context' ? "docker's current context" : target.namedBy }
}

/**
 * Chooses an engine: the one that is named, else one that answers, else one that can be started without a question.
 * Sources come in the order of preference. Rejects with ENGINE_FAILED where there is none.
 */
export async function chooseEngine(
  sources: readonly EngineSource[],
  named: NamedEngine | undefined,
  signal?: AbortSignal,
): Promise<Choice> {
  const source = named === undefined ? undefined : findSource(sources, named.name, named.by)
  const found = new Map(await Promise.all(sources.map(async each => [each, await lookSafely(each, signal)] as const)))
  const state = source === undefined ? undefined : found.get(source)
  if (source !== undefined && named !== undefined && state !== undefined) {
    if (state.state !== 'absent') return { source, why: `${named.by} names it` }
    // A context may be left over from a program that is not in use any more; a remote one is a decision.
    if (named.by !== "docker's current context" || /another machine/.test(state.reason)) {
      throw new LocaldError('ENGINE_FAILED', `${named.by} names ${source.name}: ${state.reason}`, { hint: state.hint })
    }
  }
  const running = sources.find(each => found.get(each)?.state === 'running')
  if (running !== undefined) return { source: running, why: 'already running' }
  const startable = sources.find(each => found.get(each)?.state === 'startable')
  if (startable !== undefined) return { source: startable, why: 'started on demand' }
  throw noEngine(found)
}

/** Looks for an engine; one whose source fails is absent. */
export async function lookSafely(source: EngineSource, signal?: AbortSignal): Promise<EngineFound> {
  try {
    return await source.look(signal)
  } catch (error) {
    const { message, hint } = LocaldError.from(error)
    return { state: 'absent', reason: message, hint: hint ?? 'Run `locald doctor`.' }
  }
}

/** Returns the engine of a name. Throws ENGINE_FAILED with the nearest name. */
export function findSource(sources: readonly EngineSource[], name: string, by?: string): EngineSource {
  const source = sources.find(each => each.name === name)
  if (source !== undefined) return source
  const names = sources.map(each => each.name)
  const near = closest(name, names)
  const hint = near === undefined ? `Use one of: ${names.join(', ')}.` : `Use '${near}', if that is meant.`
  throw new LocaldError('ENGINE_FAILED', `${by === undefined ? '' : `${by}: `}unknown container engine '${name}'`, {
    hint,
  })
}

/** Reports why no engine can be used: of those that are installed, if there are any. */
function noEngine(found: ReadonlyMap<EngineSource, EngineFound>): LocaldError {
  const absent = [...found.values()].flatMap(each => (each.state === 'absent' ? each : []))
  const [first] = [...absent.filter(({ reason }) => !/not installed/.test(reason)), ...absent]
  return new LocaldError('ENGINE_FAILED', first?.reason ?? 'there is no container engine', {
    hint: first?.hint ?? 'Install podman or docker.',
  })
}
