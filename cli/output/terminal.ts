import type { WriteStream } from 'node:tty'
import kleur from 'kleur'
import { detectAgent } from '../agent.ts'
import { sanitize, toSafeJson } from './sanitize.ts'

/** Styles that text is painted with. */
export type Style = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'gray' | 'bold'

/** Paints text, or returns it unchanged where colours are off. */
export type Paint = (style: Style, text: string) => string

/** A stream for results or progress. */
export type Out = Pick<WriteStream, 'isTTY' | 'write'>

/** Prints the result to stdout, sanitised. */
export function print(text: string): void {
  process.stdout.write(`${sanitize(text, hasColour(process.stdout))}\n`)
}

/** Prints progress, warnings and hints to stderr, sanitised. */
export function printStderr(text: string): void {
  process.stderr.write(`${sanitize(text, hasColour(process.stderr))}\n`)
}

/** Prints one line of JSON to stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${toSafeJson(value)}\n`)
}

/**
 * Writes text that is sanitised already to stdout, and waits while its reader is slower, so that memory does not grow.
 */
export async function printAll(text: string): Promise<void> {
  if (text === '' || process.stdout.write(text)) return
  await new Promise(resolve => process.stdout.once('drain', resolve))
}

let isColourless = false

/** Prints without colours from now on, as `--no-color` asks. */
export function disableColour(): void {
  isColourless = true
}

/** Whether a stream gets colours: `--no-color`, `NO_COLOR`, then `FORCE_COLOR`, then whether it and stdout are terminals. */
export function hasColour(stream: Out): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (isColourless || (NO_COLOR !== undefined && NO_COLOR !== '')) return false
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return TERM !== 'dumb' && stream.isTTY === true && process.stdout.isTTY === true
}

/** Returns the painter of a stream. `hasColour` decides, not kleur, which looks at stdout alone. */
export function painter(stream: Out): Paint {
  if (!hasColour(stream)) return (_style, text) => text
  kleur.enabled = true
  return (style, text) => kleur[style](text)
}

/** Whether a person can be asked: stdin and stdout are terminals, and neither a CI job nor an agent has them. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && !isCi() && detectAgent() === undefined
}

/** Whether lines on stderr may be redrawn. */
export function isLive(): boolean {
  const isTerminal = process.stdout.isTTY === true && process.stderr.isTTY === true && process.env['TERM'] !== 'dumb'
  return isTerminal && !isCi() && detectAgent() === undefined
}

function isCi(): boolean {
  const { CI } = process.env
  return CI !== undefined && CI !== '' && CI !== '0' && CI !== 'false'
}
