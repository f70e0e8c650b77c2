import { closest } from '../../system/suggest.ts'

/** Keys by the names that other tools have for them; those of plugins' types are among them. */
export const aliases: Readonly<Record<string, string>> = {
  cmd: 'command',
  run: 'command',
  command: 'run',
  cwd: 'workdir',
  dir: 'workdir',
  working_dir: 'workdir',
  environment: 'env',
  ports: 'port',
  readiness: 'health_check',
  healthcheck: 'health_check',
}

/** Returns the key that an unknown one most likely means. */
export function meantKey(key: string, known: readonly string[]): string | undefined {
  const snake = key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`).replaceAll('-', '_')
  if (known.includes(snake)) return snake
  const alias = aliases[snake]
  return alias !== undefined && known.includes(alias) ? alias : closest(snake, known)
}

/** Adds the word that was meant, if any, to a message about an unknown one. */
export function withSuggestion(what: string, meant: string | undefined): string {
  return meant === undefined ? what : `${what}; did you mean '${meant}'?`
}
