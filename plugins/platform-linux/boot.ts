import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Argv, BootPlan, BootUnit } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { probes } from './features.ts'
import type { Machine } from './machine.ts'
import { statOf } from './machine.ts'

/** systemd starts the daemon at once; one that does not run after this has failed. ms */
const delayMs = 5000

/**
 * Plans a systemd user unit. Each daemon is in a scope of its own, which is delegated to it: where services outlive it,
 * systemd could not put the next one into the cgroup above theirs (cgroups(7), "no internal processes"; it fails with
 * 219/CGROUP). A scope is removed with its last process.
 */
export async function bootPlan(machine: Machine, unit: BootUnit): Promise<BootPlan> {
  const { on, reason, hint } = await probes['boot-service'](machine)
  if (!on) {
    throw new LocaldError('FEATURE_OFF', `the daemon cannot be started with the machine: ${reason}`, {
      ...(hint === undefined ? {} : { hint }),
    })
  }
  const { name, file } = unitOf(machine, unit.sandbox)
  const systemctl = (...words: readonly string[]): Argv => ['systemctl', '--user', ...words]
  return {
    manager: 'systemd',
    file,
    text: unitText(name, unit),
    load: [{ argv: systemctl('daemon-reload') }, { argv: systemctl('enable', name) }],
    start: [{ argv: systemctl('start', name) }],
    delayMs,
    unload: [systemctl('disable', '--now', name)],
    // It returns when the unit has stopped.
    loaded: [],
    removed: [systemctl('daemon-reload')],
    failureHint: 'Run it from a session of your own: log in directly rather than by `su` or `sudo`.',
    ...(await lingerHint(machine)),
  }
}

/** Returns the unit's name and file. */
export function unitOf({ env }: Machine, sandbox: string | undefined): { name: string; file: string } {
  const name = sandbox === undefined ? 'locald.service' : `locald-${sandbox}.service`
  const config = env['XDG_CONFIG_HOME']
  const folder = config?.startsWith('/') ? config : join(env['HOME'] || homedir(), '.config')
  return { name, file: join(folder, 'systemd', 'user', name) }
}

/**
 * Returns the unit's text (systemd.unit(5), systemd.service(5)). Both commands begin with a program of the system:
 * systemd accepts no path there that has quotes or backslashes in it.
 */
export function unitText(name: string, { run, shutdown, env }: BootUnit): string {
  const scope = ['--user', '--scope', '--quiet', '--collect', '--description=locald', `--property=Before=${name}`]
  const delegate = '--property=Delegate=cpu memory pids'
  const start = ['systemd-run', ...scope, delegate, '--', ...run].map(command).join(' ')
  return `# Written by \`locald server install\`; \`locald server uninstall\` removes it.
[Unit]
Description=locald
StartLimitIntervalSec=30
StartLimitBurst=5

[Service]
Type=exec
${Object.entries(env)
  .map(([variable, value]) => `Environment=${quoteValue(`${variable}=${value}`)}\n`)
  .join('')}ExecStart=${start}
# Without the pid, as when the daemon has exited, services are left to the next one.
ExecStop=${['env', ...shutdown].map(command).join(' ')}\${MAINPID}
KillMode=process
Restart=on-failure
RestartSec=1

[Install]
WantedBy=default.target
`
}

/** Escapes a word of a command, where `$` begins a variable. */
function command(word: string): string {
  return /^[\w@+=:,./-]+$/.test(word) ? word : quoteValue(word).replaceAll('$', '$$$$')
}

/** Quotes a text with C escapes; `%` begins a specifier everywhere. */
function quoteValue(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')
  const shown = [...escaped].map(letter =>
    letter < ' ' || letter === '\u007f' ? `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}` : letter,
  )
  return `"${shown.join('')}"`
}

/** Returns the programs that locald's unit runs, one after the other, and the daemon's script. */
export function programsIn(text: string): {
  readonly programs: readonly string[]
  readonly script: string | undefined
} {
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? ''
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, inside]) => plain(inside ?? word))
  // systemd-run and each keeper execute what follows their `--`.
  const programs = words.filter((_, at) => words[at - 1] === '--')
  return { programs, script: words.find(word => word.endsWith('.js')) }
}

/** Decodes a word of a command. */
function plain(text: string): string {
  const unescaped = text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex, letter) =>
    hex === undefined ? letter : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return unescaped.replaceAll('%%', '%').replaceAll('$$', '$')
}

/**
 * Returns a hint unless the user lingers: else the user's systemd starts with the first login and stops with the last
 * logout (loginctl(1)).
 */
async function lingerHint(machine: Machine): Promise<{ readonly hint?: string }> {
  const { username } = userInfo()
  if ((await statOf(machine, `/var/lib/systemd/linger/${username}`)) !== undefined) return {}
  return { hint: 'Run `loginctl enable-linger` to start it with the machine; until then it starts when you log in.' }
}
