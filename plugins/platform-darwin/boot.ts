import { homedir } from 'node:os'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { BootPlan, BootUnit } from '../../kernel/plugin.ts'

/** A launchd agent, in the domain of the user's login session (launchctl(1), launchd.plist(5)). */
export function bootPlan(uid: number, env: NodeJS.ProcessEnv, unit: BootUnit): BootPlan {
  const label = unit.sandbox === undefined ? 'dev.locald' : `dev.locald.${unit.sandbox}`
  const file = join(env['HOME'] || homedir(), 'Library', 'LaunchAgents', `${label}.plist`)
  const domain = `gui/${uid}`
  const target = `${domain}/${label}`
  return {
    file,
    text: plistText(label, unit),
    load: [
      // An agent that was once disabled cannot be loaded.
      ['launchctl', 'enable', target],
      ['launchctl', 'bootstrap', domain, file],
    ],
    start: ['launchctl', 'kickstart', target],
    unload: [['launchctl', 'bootout', target]],
    removed: [],
  }
}

type Value = string | boolean | readonly string[] | { readonly [key: string]: Value }

/** The agent's property list. */
export function plistText(label: string, { run, env, log }: BootUnit): string {
  const agent: Value = {
    Label: label,
    ProgramArguments: run,
    EnvironmentVariables: env,
    WorkingDirectory: '/',
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    // Services and their keepers outlive the daemon.
    AbandonProcessGroup: true,
    // As from a terminal: without it, what it starts is slowed down in favour of programs with windows.
    ProcessType: 'Interactive',
    StandardOutPath: log,
    StandardErrorPath: log,
  }
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by \`locald server install\`; \`locald server uninstall\` removes it. -->
<plist version="1.0">
${element(agent, '')}
</plist>
`
}

function element(value: Value, indent: string): string {
  const deeper = `${indent}  `
  if (typeof value === 'boolean') return `${indent}<${value}/>`
  if (typeof value === 'string') return `${indent}<string>${escaped(value)}</string>`
  if (isList(value))
    return block(
      'array',
      value.map(each => element(each, deeper)),
      indent,
    )
  const entries = Object.entries(value)
  return block(
    'dict',
    entries.map(([key, each]) => `${deeper}<key>${escaped(key)}</key>\n${element(each, deeper)}`),
    indent,
  )
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value)
}

function block(name: string, inside: readonly string[], indent: string): string {
  return [`${indent}<${name}>`, ...inside, `${indent}</${name}>`].join('\n')
}

/** XML 1.0 has no way to write most control characters. */
function escaped(text: string): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) {
    throw new LocaldError('USAGE', `a control character is in ${JSON.stringify(text)}`, {
      hint: 'Rename the folder, or unset the variable.',
    })
  }
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }
  return text.replace(/[&<>\r]/g, letter => names[letter] ?? letter)
}
