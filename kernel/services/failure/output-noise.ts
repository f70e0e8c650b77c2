import { lastWritten } from '../../logs/last-written.ts'

/** Lines that package managers and Node print around the output of a command: they do not contain the cause. */
const noise: readonly RegExp[] = [
  /^$/,
  /^npm (?:error|ERR!|warn|WARN|notice)/,
  /^> \S+@\S+ \S+/,
  /^Node\.js v\d/,
  /^\s?ELIFECYCLE\b/,
  /^error Command failed with exit code \d+\.$/,
  /^info Visit https:\/\/yarnpkg\.com/,
  /^yarn run v\d/,
  /^error: script "\S+" (?:exited|was terminated)/,
  /^make(?:\[\d+\])?: \*\*\* \[/,
  /^\[nodemon\] /,
  /^exit status \d+$/,
]

/** npm's own lines that carry no cause either. */
const npmDetail =
  /^npm (?:error|ERR!)(?:$| (?:code|errno|syscall|path|command|workspace|location|A complete log|Lifecycle script|To see a list|Did you mean|\s))/
const npmCause = /^npm (?:error|ERR!) (?:enoent )?(.+)/

/** Patterns read this much of a line: some take time quadratic in its length. UTF-16 units */
const examined = 1000

/** Returns a line as a terminal shows it in the end: without overwritten parts and spinners. */
function asShown(line: string): string {
  return lastWritten(line).replace(/^[\u2800-\u28ff\s]*[\u2800-\u28ff]/, '')
}

/** Returns the lines that a program itself printed; without any, the errors of its package manager. */
export function withoutNoise(lines: readonly string[]): readonly string[] {
  const all = lines.map(asShown)
  const heads = all.map(line => line.slice(0, examined).trimEnd())
  // `npm run` prints the command it runs below the script's name.
  const isEcho = (index: number) => /^> /.test(heads[index] ?? '') && /^> \S+@\S+ \S+/.test(heads[index - 1] ?? '')
  const isNoise = (index: number) => isEcho(index) || noise.some(pattern => pattern.test(heads[index] ?? ''))
  const own = all.filter((_, index) => !isNoise(index))
  if (own.length > 0) return own
  return all.flatMap((line, index) => (npmDetail.test(heads[index] ?? '') ? [] : (npmCause.exec(line)?.[1] ?? [])))
}
