import type { Engine } from '../provides.ts'

/** A file of conmon's that is longer is replaced by an empty one; a service's own log has 100 MB. */
const maxSize = '50mb'

/**
 * Returns the arguments of `run` and `create` that keep a container's output where `followLog` reads it. `file` as for
 * `followLog`: only of an engine on this machine, and with the daemon's own user id.
 */
export function logArgs({ dialect }: Pick<Engine, 'dialect'>, file?: string): readonly string[] {
  if (dialect !== 'podman') return ['--log-driver', 'json-file', '--log-opt', 'max-size=25m', '--log-opt', 'max-file=2']
  const path = file === undefined ? [] : ['--log-opt', `path=${file}`]
  return ['--log-driver', 'k8s-file', ...path, '--log-opt', `max-size=${maxSize}`]
}
