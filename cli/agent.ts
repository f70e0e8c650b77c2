import { stripVTControlCharacters } from 'node:util'

/** Variables that coding agents set for the commands they run, and the agent's name. */
const marks: readonly (readonly [variable: string, name: string])[] = [
  ['CLAUDECODE', 'claude-code'],
  ['CLAUDE_CODE', 'claude-code'],
  ['CODEX_SANDBOX', 'codex'],
  ['CODEX_CI', 'codex'],
  ['CODEX_THREAD_ID', 'codex'],
  // Not CURSOR_TRACE_ID, which the terminals of people in Cursor have, too; nor REPL_ID.
  ['CURSOR_AGENT', 'cursor'],
  ['GEMINI_CLI', 'gemini-cli'],
  ['OPENCODE', 'opencode'],
  ['OPENCODE_CLIENT', 'opencode'],
  ['AUGMENT_AGENT', 'augment'],
  ['ANTIGRAVITY_AGENT', 'antigravity'],
]

/** A lease's name is not longer. */
const longest = 100

/** A coding agent that runs this command, and the variable by which it is known. */
export interface Agent {
  readonly name: string
  readonly variable: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Returns the coding agent that runs this command; undefined: a person or a script does. `LOCALD_AGENT` decides first:
 * `0` is none, another value its name. Then `AI_AGENT`, which agents agree on.
 */
export function findAgent(env: Environment = process.env): Agent | undefined {
  if (env['LOCALD_AGENT'] !== undefined && env['LOCALD_AGENT'] !== '') return named('LOCALD_AGENT', env)
  const own = named('AI_AGENT', env)
  if (own !== undefined) return own
  const [variable, name] = marks.find(([each]) => named(each, env) !== undefined) ?? []
  return variable === undefined || name === undefined ? undefined : { variable, name }
}

/** Returns the name of that agent. */
export function detectAgent(env: Environment = process.env): string | undefined {
  return findAgent(env)?.name
}

function named(variable: string, env: Environment): Agent | undefined {
  const name = env[variable]
  if (name === undefined || ['', '0', 'false'].includes(name)) return undefined
  return { variable, name: cleanName(name) || 'agent' }
}

/** Returns what a program calls itself as one line that a lease may have as its name; perhaps empty. */
export function cleanName(name: string): string {
  return stripVTControlCharacters(name)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, longest)
}
