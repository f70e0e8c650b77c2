import { isOfSession } from './shell.ts'

/**
 * Variables of a shell and of its parent that mean nothing to a service, besides those of a terminal or a login
 * session.
 */
const ofShell = new Set([
  ...['_', 'PWD', 'OLDPWD', 'SHLVL', 'PS1', 'PROMPT', 'PROMPT_COMMAND', 'HISTFILE', 'MAIL', 'LS_COLORS', 'WINDOW'],
  ...['SESSION_MANAGER', 'DESKTOP_STARTUP_ID', 'SECURITYSESSIONID', 'I3SOCK', 'SWAYSOCK', 'SHELL_SESSION_ID'],
  ...['WT_SESSION', 'WT_PROFILE_ID', 'WSL_INTEROP', 'TILIX_ID', 'TERMINATOR_UUID', 'INSIDE_EMACS', 'NVIM'],
  ...['INVOCATION_ID', 'JOURNAL_STREAM', 'SYSTEMD_EXEC_PID', 'MANAGERPID', 'MEMORY_PRESSURE_WATCH'],
  // Set by the system for each app that it starts, and by apps for their terminals.
  ...['LaunchInstanceID', 'COMMAND_MODE', 'OSLogRateLimit', 'LSCOLORS', 'GIT_ASKPASS', 'ORIGINAL_XDG_CURRENT_DESKTOP'],
])
const ofShellPrefix =
  /^(?:TMUX|XDG_|SUDO_|KITTY_|WEZTERM_|ITERM_|ALACRITTY_|GHOSTTY_|KONSOLE_|VSCODE_|CURSOR_|ZED_|JETBRAINS_|GNOME_TERMINAL_|PTYXIS_|GUAKE_|LC_TERMINAL|XPC_|ATUIN_|FNM_MULTISHELL_|TERMINAL_|ZELLIJ|DIRENV_|STARSHIP_|FZF_|LESS|BASH_FUNC_|Malloc|OS_ACTIVITY_|SWIFTUI_|LOCALD_|npm_|INIT_CWD$|__)/

/** A service's environment when it was started, and now. */
export interface Compared {
  readonly name: string
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
}

/** A warning about variables that differ from those that running services were started with. */
export interface ShellWarning {
  readonly message: string
  readonly hint: string
}

/** Removes the folder that fnm(1) makes for each shell: all of them lead to the same Node. */
export function normalizeValue(value: string | undefined): string | undefined {
  return value?.replace(/\/fnm_multishells\/[^/:]+/g, '/fnm_multishells')
}

/** Names the variables whose change matters to a service. */
export function changedVariables({ before, after }: Pick<Compared, 'before' | 'after'>): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names]
    .filter(name => normalizeValue(before[name]) !== normalizeValue(after[name]) && !isOfShell(name))
    .sort()
}

/** Whether a variable describes a shell, its terminal or its session, and means nothing to a service. */
export function isOfShell(name: string): boolean {
  return isOfSession(name) || ofShell.has(name) || ofShellPrefix.test(name)
}

/** Returns the warning about services that keep running with the variables of an earlier shell; undefined: none. */
export function shellWarning(services: readonly Compared[]): ShellWarning | undefined {
  const changed = services.map(service => ({ ...service, variables: changedVariables(service) }))
  const concerned = changed.filter(({ variables }) => variables.length > 0)
  if (concerned.length === 0) return undefined
  const variables = [...new Set(concerned.flatMap(service => service.variables))]
  const shown = variables.length > 5 ? [...variables.slice(0, 4), `${variables.length - 4} more`] : variables
  const names = concerned.map(({ name }) => name)
  return {
    message: `${formatNames(shown)} changed in this shell since ${formatNames(names)} ${names.length === 1 ? 'was' : 'were'} started`,
    hint: `Run \`locald restart ${names.join(' ')}\` to apply it.`,
  }
}

function formatNames(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
