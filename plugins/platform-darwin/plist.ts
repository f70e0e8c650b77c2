import type { BootUnit } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'

type Value = string | boolean | readonly string[] | { readonly [key: string]: Value }

/**
 * Returns the agent's property list (launchd.plist(5)); launchd loads it in sessions of these types, by default in that
 * of a login at the screen.
 */
export function plistText(label: string, { run, env, log }: BootUnit, sessions?: readonly string[]): string {
  const agent: Value = {
    Label: label,
    ProgramArguments: run,
    EnvironmentVariables: env,
    WorkingDirectory: '/',
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    // Services and their keepers outlive the daemon.
    AbandonProcessGroup: true,
    // As from a terminal: by default launchd slows its jobs down in favour of programs with windows.
    ProcessType: 'Interactive',
    StandardOutPath: log,
    StandardErrorPath: log,
    ...(sessions === undefined ? {} : { LimitLoadToSessionType: sessions }),
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
  if (typeof value === 'string') return `${indent}<string>${escapeXml(value)}</string>`
  if (isList(value))
    return block(
      'array',
      value.map(each => element(each, deeper)),
      indent,
    )
  const entries = Object.entries(value)
  return block(
    'dict',
    entries.map(([key, each]) => `${deeper}<key>${escapeXml(key)}</key>\n${element(each, deeper)}`),
    indent,
  )
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value)
}

function block(name: string, inside: readonly string[], indent: string): string {
  return [`${indent}<${name}>`, ...inside, `${indent}</${name}>`].join('\n')
}

/** Escapes a text for XML 1.0, which cannot represent most control characters. */
function escapeXml(text: string): string {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) {
    throw new LocaldError('USAGE', `a control character is in ${JSON.stringify(text)}`, {
      hint: 'Rename the folder, or unset the variable.',
    })
  }
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }
  return text.replace(/[&<>\r]/g, letter => names[letter] ?? letter)
}

/** Returns the programs that locald's agent runs, one after the other, and the daemon's script. */
export function programsIn(text: string): {
  readonly programs: readonly string[]
  readonly script: string | undefined
} {
  const list = /<key>ProgramArguments<\/key>\s*<array>([\s\S]*?)<\/array>/.exec(text)?.[1] ?? ''
  const words = [...list.matchAll(/<string>([\s\S]*?)<\/string>/g)].map(([, word = '']) => unescapeXml(word))
  // Each keeper executes what follows its `--`.
  const programs = words.filter((_, at) => at === 0 || words[at - 1] === '--')
  return { programs, script: words.find(word => word.endsWith('.js')) }
}

function unescapeXml(text: string): string {
  const letters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', '#13': '\r' }
  return text.replace(/&(amp|lt|gt|#13);/g, (_, name) => letters[name] ?? '')
}
