import { parseJson } from '../lib/json.ts'

/** A line that limactl logs with `--log-format json`. */
export interface LimactlLine {
  readonly level: string
  readonly text: string
}

/** Reads a line of limactl's stderr; what is not JSON counts as an error, as limactl prints a few without its logger. */
export function readLine(line: string): LimactlLine | undefined {
  if (line.trim() === '') return undefined
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null) return { level: 'error', text: line.trim() }
  const [level, message, error] = ['level', 'msg', 'error'].map(key => Reflect.get(value, key))
  const text = [message, error].filter(part => typeof part === 'string' && part !== '').join(': ')
  return { level: typeof level === 'string' ? level : 'info', text }
}

/** Returns what limactl reports as the cause of its failure: the fatal line, else its errors. */
export function causeOf(stderr: string): string {
  const lines = stderr.split('\n').flatMap(line => readLine(line) ?? [])
  const fatal = lines.findLast(({ level }) => level === 'fatal')?.text
  const errors = lines.filter(({ level }) => level === 'error').map(({ text }) => text.replace(/^\[hostagent\] /, ''))
  return fatal || errors.slice(-2).join('; ') || lines.at(-1)?.text || ''
}
