import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { Argv, BootPlan, BootUnit } from '../../kernel/plugin.ts'
import { probes } from './features.ts'
import type { Machine } from './probe.ts'
import { statOf } from './probe.ts'

/** The keeper's exit code when another daemon runs already. */
const lockHeld = 75

/**
 * A systemd user unit. Each daemon is in a scope of its own, which is delegated to it: where services outlive it, systemd could not put
 * the next one into the cgroup that theirs are below (cgroups(7), "no internal processes"; it gives up with 219/CGROUP). A scope is
 * gone with the last process in it.
 */
export async function bootPlan(machine: Machine, unit: BootUnit): Promise<BootPlan> {
  const { on, reason, hint } = await probes['boot-service'](machine)
  if (!on) {
    throw new LocaldError('FEATURE_OFF', `the daemon cannot be started with the machine: ${reason}`, {
      ...(hint === undefined ? {} : { hint }),
    })
  }
  const name = unit.sandbox === undefined ? 'locald.service' : `locald-${unit.sandbox}.service`
  const config = machine.env['XDG_CONFIG_HOME']
  const folder = config?.startsWith('/') ? config : join(machine.env['HOME'] || homedir(), '.config')
  const systemctl = (...words: readonly string[]): Argv => ['systemctl', '--user', ...words]
  return {
    file: join(folder, 'systemd', 'user', name),
    text: unitText(name, unit),
    load: [systemctl('daemon-reload'), systemctl('enable', name)],
    start: systemctl('start', name),
    unload: [systemctl('disable', '--now', name)],
    removed: [systemctl('daemon-reload')],
    ...(await lingerHint(machine)),
  }
}

/**
 * The unit's text (systemd.unit(5), systemd.service(5)). Both commands begin with a program of the system: systemd takes no path there
 * that has quotes or backslashes in it.
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
  .map(([variable, value]) => `Environment=${quoted(`${variable}=${value}`)}\n`)
  .join('')}ExecStart=${start}
# Without the pid, as when the daemon has ended by itself, services are left to the next one.
ExecStop=${['env', ...shutdown].map(command).join(' ')}\${MAINPID}
KillMode=process
Restart=on-failure
RestartSec=1
SuccessExitStatus=${lockHeld}

[Install]
WantedBy=default.target
`
}

/** A word of a command: `$` begins a variable there. */
function command(word: string): string {
  return /^[\w@+=:,./-]+$/.test(word) ? word : quoted(word).replaceAll('$', '$$$$')
}

/** In quotes, with C escapes; `%` begins a specifier everywhere. */
function quoted(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')
  const shown = [...escaped].map(letter =>
    letter < ' ' || letter === '\u007f' ? `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}` : letter,
  )
  return `"${shown.join('')}"`
}

/** Without linger the user's systemd begins with the first login and ends with the last logout (loginctl(1)). */
async function lingerHint(machine: Machine): Promise<{ readonly hint?: string }> {
  const { username } = userInfo()
  if ((await statOf(machine, `/var/lib/systemd/linger/${username}`)) !== undefined) return {}
  return { hint: 'It starts when you log in. To have it start with the machine: `loginctl enable-linger`' }
}
