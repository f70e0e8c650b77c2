import { LocaldError } from '../../../kernel/errors.ts'
import type { EnvFiles } from './env-files.ts'

/**
 * The variables by which an engine's CLI, or a program that it runs (newuidmap, conmon, a credential helper), finds its
 * files, its engine and the network. A container's value of one of these must not be in the CLI's own environment.
 */
const steering = new RegExp(
  `^(?:${[
    'PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|XDG_\\w+|LD_\\w+|DYLD_\\w+|GODEBUG|GOGC|GOMAXPROCS|GOMEMLIMIT|GOTRACEBACK',
    'DOCKER_\\w+|BUILDKIT_\\w+|BUILDX_\\w+|MOBY_\\w+|CONTAINER_\\w+|_?CONTAINERS_\\w+|PODMAN_\\w+|BUILDAH_\\w+|STORAGE_\\w+',
    'NERDCTL_\\w+|CONTAINERD_\\w+|CNI_\\w+|NETAVARK_\\w+|CNI_PATH|REGISTRY_AUTH_FILE|REGISTRIES_CONFIG_PATH|LIMA_\\w+',
    'https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_FILE|SSL_CERT_DIR',
    'SSH_AUTH_SOCK|DBUS_SESSION_BUS_ADDRESS|NOTIFY_SOCKET|LISTEN_(?:FDS|PID|FDNAMES)',
  ].join('|')})$`,
)

/** What passes variables on to a container. */
export interface Passing {
  /** For the engine's CLI, after the word of its command. */
  readonly args: readonly string[]
  /** For the environment of the engine's CLI. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Passes variables on without their values in any argv: `-e NAME` takes the value from the CLI's own environment, line
 * breaks included. What would steer the CLI goes through a file, where a value ends with its line. Throws CONFIG_INVALID
 * for one that has more.
 */
export function passVariables(variables: Readonly<Record<string, string>>, files: EnvFiles): Passing {
  const all = Object.entries(variables)
  const plain = all.filter(([name]) => !steering.test(name))
  const others = all.filter(([name]) => steering.test(name))
  const broken = others.find(([, value]) => /[\r\n]/.test(value))
  if (broken !== undefined) {
    throw new LocaldError('CONFIG_INVALID', `variable '${broken[0]}' has a line break`, {
      hint: `Remove the line break or rename the variable: a container can get '${broken[0]}' in one line only.`,
    })
  }
  const file = others.length === 0 ? [] : ['--env-file', files.write(Object.fromEntries(others))]
  return { args: [...plain.flatMap(([name]) => ['-e', name]), ...file], env: Object.fromEntries(plain) }
}
