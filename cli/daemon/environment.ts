import type { Paths } from '../../kernel/system/paths.ts'

/**
 * Without these, glibc's malloc(3) raises the size above which it uses mmap(2), whose memory it can return to the
 * system, and keeps an arena for each thread: after large bodies over HTTP/2 the daemon holds 10 to 20 MB that it does
 * not use.
 */
export const malloc = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' }

/**
 * The variables that the daemon inherits from the shell that starts it: the user and their folders, the search paths
 * for programs and libraries, the browser and the network, and locald's own. Services get all others with `up`:
 * NODE_OPTIONS, PGHOST or npm_config_prefix of one project's shell would otherwise affect all projects until the daemon
 * stops.
 */
const kept = new RegExp(
  `^(?:${[
    'HOME|USER|LOGNAME|SHELL|PATH|TMPDIR|TERM|TZ|LANG|LANGUAGE|LC_\\w+|XDG_\\w+|LOCALD_\\w+|MALLOC_\\w+',
    'LD_LIBRARY_PATH|DYLD_(?:FALLBACK_)?LIBRARY_PATH|NIX_LD\\w*|__CF_USER_TEXT_ENCODING',
    'DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|BROWSER|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|WSL\\w+',
    'https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY',
    'SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS',
    'DOCKER_\\w+|CONTAINER_\\w+|CONTAINERS_\\w+|LIMA_HOME|LIMACTL|LIMA_SSH_\\w+|QEMU_SYSTEM_\\w+',
  ].join('|')})$`,
)

/** Returns the environment that a daemon is started with. */
export function daemonEnvironment({ sandbox }: Pick<Paths, 'sandbox'>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => kept.test(name))
  // Node passes it to every child process unless it is set explicitly.
  const coverage = { NODE_V8_COVERAGE: undefined }
  const named = sandbox === undefined ? {} : { LOCALD_SANDBOX: sandbox }
  return { ...malloc, ...coverage, ...Object.fromEntries(own), ...named }
}
