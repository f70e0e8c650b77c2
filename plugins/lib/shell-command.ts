import type { Argv } from '../../kernel/contract/plugin.ts'

/** How a shell is run. */
export interface ShellCommand {
  readonly argv: Argv
  readonly env: Readonly<Record<string, string>>
}

/**
 * Returns a command for `/bin/sh -c`, or another shell. macOS removes DYLD_* from the environment of its own programs, /bin/sh among them
 * (Apple, "Runtime Protections", System Integrity Protection): they are passed under other names, which the shell
 * exports again. Never as arguments, which every user can read.
 */
export function shellCommand(command: string, env: Readonly<Record<string, string>>, shell = '/bin/sh'): ShellCommand {
  const names = Object.keys(env).filter(name => /^DYLD_\w+$/.test(name))
  if (names.length === 0) return { argv: [shell, '-c', command], env }
  const aliasOf = (name: string) => `LOCALD_${name}`
  const exports = names.map(name => `export ${name}="$${aliasOf(name)}"; unset ${aliasOf(name)}; `)
  const copies = names.map(name => [aliasOf(name), env[name] ?? ''] as const)
  return { argv: [shell, '-c', `${exports.join('')}${command}`], env: { ...env, ...Object.fromEntries(copies) } }
}
