import type { Paths } from '../../kernel/system/paths.ts'

/**
 * glibc's malloc(3) automatically raises the size from which on it asks the system for memory, which it then can give back, and keeps memory
 * for each thread: after large bodies over HTTP/2 that is 10 to 20 MB of nothing.
 */
export const malloc = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' }

/**
 * What the daemon takes of the environment of the shell that happens to start it: who and where the user is, which programs and libraries
 * are found, how a browser and the network are reached, and what is meant for locald. Everything else is for services, which get it with
 * `up`: NODE_OPTIONS, PGHOST or npm_config_prefix of one project's shell would otherwise act on all projects, for as long as it runs.
 */
const kept = new RegExp(
  `^(?:${[
    'HOME|USER|LOGNAME|SHELL|PATH|TMPDIR|TERM|TZ|LANG|LANGUAGE|LC_\\w+|XDG_\\w+|LOCALD_\\w+|MALLOC_\\w+',
    'LD_LIBRARY_PATH|DYLD_(?:FALLBACK_)?LIBRARY_PATH|NIX_LD\\w*|__CF_USER_TEXT_ENCODING',
    'DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|BROWSER|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|WSL\\w+',
    'https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY',
    'SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS',
    'DOCKER_\\w+|CONTAINER_\\w+|CONTAINERS_\\w+|LIMA_HOME',
  ].join('|')})$`,
)

/** Returns the environment that a daemon is started with. */
export function daemonEnvironment({ sandbox }: Pick<Paths, 'sandbox'>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => kept.test(name))
  // Node hands it on to whatever it starts, unless it is named.
  const coverage = { NODE_V8_COVERAGE: undefined }
  const named = sandbox === undefined ? {} : { LOCALD_SANDBOX: sandbox }
  return { ...malloc, ...coverage, ...Object.fromEntries(own), ...named }
}
