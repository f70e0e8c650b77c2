import { delimiter, join, sep } from 'node:path'

/** The environment of a shell, in which locald was called. */
export type Shell = Readonly<Record<string, string>>

type Variables = Readonly<Record<string, string | undefined>>

/** Returns the daemon's own environment, for projects that no shell has started. */
export function ownEnvironment(): Record<string, string> {
  const set = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return Object.fromEntries(set)
}

/**
 * Returns the part of the caller's shell that services get: all but what describes the calling process. Left out are a
 * supervisor's sockets and Node's IPC channel; LOCALD_* except those that identify this daemon; and, when npm or npx
 * ran locald, all `npm_*` and INIT_CWD, which are about that package (npm_config_prefix alone breaks nvm).
 */
export function shellPart(shell: Variables): Record<string, string> {
  const underNpm = shell['npm_execpath'] !== undefined || shell['npm_lifecycle_event'] !== undefined
  const kept: [string, string][] = []
  for (const [name, value] of Object.entries(shell)) {
    if (value === undefined || callers.has(name)) continue
    if (name.startsWith('LOCALD_') && name !== 'LOCALD_SANDBOX' && name !== 'LOCALD_SOCKET') continue
    if (underNpm && (name.startsWith('npm_') || name === 'INIT_CWD')) continue
    kept.push([name, value])
  }
  return withoutVolta(Object.fromEntries(kept))
}

/**
 * Volta's shims run a program with its own Node.js first in PATH, without themselves, and with a variable that keeps
 * them from choosing again: inherited by services, a project's pinned tools would not be used, or not be found
 * (volta-cli/volta#1299). Both are undone.
 */
function withoutVolta({ _VOLTA_TOOL_RECURSION: guard, ...shell }: Record<string, string>): Record<string, string> {
  if (guard === undefined) return shell
  const { PATH = '', HOME = '', VOLTA_HOME } = shell
  const volta = VOLTA_HOME || join(HOME, '.volta')
  const shims = join(volta, 'bin')
  const rest = PATH.split(delimiter).filter(
    folder => folder !== shims && !folder.startsWith(join(volta, 'tools', 'image', sep)),
  )
  return { ...shell, PATH: [shims, ...rest].join(delimiter) }
}

const callers = new Set([
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
])

/**
 * Returns the shell of a one-off command: that of the `up`, as the service has it, plus variables that only the
 * caller's shell has, and the caller's terminal, agents and display.
 */
export function oneOffShell(up: Variables, caller: Variables): Record<string, string> {
  const own = shellPart(caller)
  const session = Object.entries(own).filter(([name]) => isOfSession(name))
  return { ...own, ...shellPart(up), ...Object.fromEntries(session) }
}

/** Variables that each terminal or login session sets differently. */
const ofSession = new Set([
  ...['TERM', 'COLORTERM', 'COLORFGBG', 'COLUMNS', 'LINES', 'NO_COLOR', 'FORCE_COLOR', 'CLICOLOR', 'CLICOLOR_FORCE'],
  ...['TMUX', 'TMUX_PANE', 'STY', 'WINDOWID', 'VTE_VERSION', 'TTY', 'GPG_TTY', 'GPG_AGENT_INFO'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS', 'KRB5CCNAME'],
  ...['EDITOR', 'VISUAL', 'PAGER', 'BROWSER'],
])

/** Whether a variable describes a terminal or a login session: another session's value is wrong. */
export function isOfSession(name: string): boolean {
  return ofSession.has(name) || /^(?:SSH|TERM|XDG_SESSION)_/.test(name)
}
