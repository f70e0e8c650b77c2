import { denialOf } from '../../lib/denial.ts'
import { withoutNoise } from './output-noise.ts'

/** One run of a program: its output without escape sequences, and its exit. */
export interface RunOutput {
  readonly lines: readonly string[]
  /** null: it still runs, or a signal terminated it. */
  readonly code: number | null
  /** Whether it still runs. */
  readonly runs: boolean
  /** Its working folder: paths below it are shown relative to it. */
  readonly dir: string
}

/** Why a program failed, or does not get ready, by its own output. */
export interface Cause {
  readonly text: string
  /** A command that was not found. */
  readonly command?: string
  /** A package that was not found. */
  readonly module?: string
  /** A module of Python that was not found: its first part. */
  readonly pythonModule?: string
  /** A port that is in use. */
  readonly port?: number
}

/** Longer texts are cut: characters. */
const longest = 200

/** This many lines below an error are searched for its place. */
const traceLines = 16

/**
 * Only the beginning and the end of a longer line are searched, as some patterns take time quadratic in its length:
 * UTF-16 units.
 */
const examined = 1000

/** Returns the cause that the output names; undefined when it names none. */
export function causeOf(output: RunOutput): Cause | undefined {
  const lines = withoutNoise(output.lines).map(cut)
  const found =
    findDenial(lines, output) ??
    findShellError(lines, output.code) ??
    findPortInUse(lines) ??
    findQuestion(lines, output) ??
    findError(lines, output)
  if (found === undefined) return undefined
  const [, pythonModule] = /\bNo module named '?(\w+)/.exec(found.text) ?? []
  const module = pythonModule === undefined ? {} : { pythonModule }
  return { ...found, ...module, text: shorten(found.text, output.dir) }
}

function cut(line: string): string {
  return line.length > 2 * examined ? `${line.slice(0, examined)}…${line.slice(-examined)}` : line
}

function shorten(text: string, dir: string): string {
  const short = text
    .replace(/\p{Cc}/gu, '')
    .replaceAll('file://', '')
    .replaceAll(`${dir}/`, '')
    .trim()
  return short.length > longest ? `${short.slice(0, longest - 1)}…` : short
}

const notPermitted = /operation not permitted/i
/** Errors without a path: getcwd(3), as worded by Node, git, make and the shells. */
const ofFolder = /\buv_cwd\b|getcwd|current (?:working )?directory/
/** Errors that may also come from the file itself (chflags(1), an owner). */
const paths = /\/(?:Users|Volumes)\/[^'":]+/
const ofFile = /\b(?:chmod|chown|symlink|link|rename|kill|listen|setpriority)\b/

/** Recognises what macOS denies to a program that runs in a folder of its user's documents, or reads one there. */
function findDenial(lines: readonly string[], { dir }: RunOutput): Cause | undefined {
  for (const line of lines.filter(text => notPermitted.test(text) && !ofFile.test(text.replace(paths, '')))) {
    const path = ofFolder.test(line) ? dir : (paths.exec(line)?.[0] ?? '')
    const denial = denialOf(path, 'EPERM')
    if (denial === undefined) continue
    return { text: `${denial.message}, and what it starts: ${denial.brief}` }
  }
  return undefined
}

/** Recognises the shell's message about a command that it could not run. */
function findShellError(lines: readonly string[], code: number | null): Cause | undefined {
  if (code !== 127 && code !== 126) return undefined
  for (const line of lines) {
    const missing =
      /^(?:\S*sh|\S+\.sh): (?:line )?(?:\d+: )?(.+?): (?:command )?not found$/.exec(line)?.[1] ??
      /^(?:\S*sh:(?:\d+:)? )?command not found: (.+)$/.exec(line)?.[1] ??
      /^env: [‘'"]?(.+?)[’'"]?: No such file or directory$/.exec(line)?.[1] ??
      /^\S*sh: (?:line )?(?:\d+: )?(\S+): No such file or directory$/.exec(line)?.[1]
    if (missing !== undefined && code === 127) return { text: `command not found: ${missing}`, command: missing }
    const denied = /^\S*sh: (?:line )?(?:\d+: )?(.+?): (?:Permission denied|Is a directory)$/.exec(line)?.[1]
    if (denied !== undefined && code === 126)
      return { text: `not executable: ${denied} (run \`chmod +x ${denied}\`, or name its interpreter)` }
  }
  return undefined
}

function findPortInUse(lines: readonly string[]): Cause | undefined {
  const line = lines.find(text =>
    /EADDRINUSE|address already in use|\bport \d+ (?:is|was) (?:already )?in use/i.test(text),
  )
  if (line === undefined) return undefined
  const port = /(?:port |:|, )(\d{2,5})\b(?!\.\d)/i.exec(line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, ''))?.[1]
  return { text: line, ...(port === undefined ? {} : { port: Number(port) }) }
}

/** Recognises a program that waits for an answer: its last output is a question. */
function findQuestion(lines: readonly string[], { runs }: RunOutput): Cause | undefined {
  const last = lines.at(-1)?.trim()
  if (!runs || last === undefined) return undefined
  const isQuestion = /\?$|[([](?:y|y\/n|n\/y|yes\/no)[^)\]]*[)\]]\s*[:?›»>]*$|\b(?:password|passphrase)\b[^:]*:$/i.test(
    last,
  )
  return isQuestion ? { text: `the last output is a question: ${last}` } : undefined
}

const exception = /^(?:Uncaught |Unhandled \w+: )?(?:[A-Za-z_$][\w$.]*)?(?:Error|Exception)(?: \[[\w.-]+\])?: ./
const panic = /^(?:panic: |fatal error: |thread '.*' panicked at )/
/** Ruby, whose first line has place, error and class: `app.rb:3:in 'foo': no db (NameError)`. */
const rubyFault = /^[^\s:]+:\d+:in [`'][^']*': .+ \(\w[\w:]*\)$/
/** Java: the last one caused all others. */
const javaCause = /^(?:Caused by: |Exception in thread "[^"]*" )(?=[\w$.]+(?:Exception|Error)\b)/
const compilerFault = /^(?:\.{0,2}\/)?[\w@./-]+\.[a-z]\w*(?::\d+(?::\d+)?:?|\(\d+,\d+\):) ./i
const faultWord = /^(?:\S{1,40} ){0,2}(?:[✘×] ?)?\[?(?:error|fatal|critical)\b\]?(?:\[\w+\])?(?:[:\s]|$)/i

function findError(lines: readonly string[], { code, runs }: RunOutput): Cause | undefined {
  // The output of a program that a signal terminated need not contain the cause.
  const isLoose = !runs && code !== null
  const traced = findPythonError(lines) ?? findJavaError(lines)
  if (traced !== undefined) return traced
  const isError = (line: string) =>
    exception.test(line) ||
    panic.test(line) ||
    rubyFault.test(line) ||
    (isLoose && (compilerFault.test(line) || faultWord.test(line)))
  let index = lines.findIndex(isError)
  // "Build failed with 1 error:", and the error below.
  for (let hops = 0; hops < 3 && lines[index]?.trimEnd().endsWith(':') && index + 1 < lines.length; hops++) index++
  const line = lines[index]?.trim()
  if (line === undefined) {
    const last = lines.at(-1)?.trim()
    return isLoose && last !== undefined ? { text: last } : undefined
  }
  const place = /\.\w+[:(]\d+/.test(line) ? undefined : placeOf(lines, index)
  const module = /Cannot find (?:module|package) '([^'./][^']*)'/.exec(line)?.[1]
  const text = place === undefined ? line : `${line} (${place})`
  return module === undefined ? { text } : { text, module }
}

/** Returns the exception below the last traceback, which terminated the program. */
function findPythonError(lines: readonly string[]): Cause | undefined {
  const start = lines.findLastIndex(line => /^ {2}File ".+", line \d+/.test(line))
  const end = start === -1 ? -1 : lines.findIndex((line, index) => index > start && /^[A-Za-z_]/.test(line))
  const line = lines[end]
  if (line === undefined) return undefined
  const frames = lines.slice(0, end).flatMap(text => {
    const [, file, number] = /^ {2}File "([^"]+)", line (\d+)/.exec(text) ?? []
    return file === undefined ? [] : [`${file}:${number}`]
  })
  const own = frames.findLast(frame => !/site-packages|\/lib\/python|^</.test(frame)) ?? frames.at(-1)
  return { text: own === undefined ? line : `${line} (${own})` }
}

function findJavaError(lines: readonly string[]): Cause | undefined {
  const index = lines.findLastIndex(line => javaCause.test(line))
  const line = lines[index]
  if (line === undefined) return undefined
  const place = /^\s+at [\w.$]+\((\w+\.\w+:\d+)\)$/.exec(lines[index + 1] ?? '')?.[1]
  const text = line.replace(javaCause, '')
  return { text: place === undefined ? text : `${text} (${place})` }
}

/**
 * Returns file and line of an error: the first frame below it that is neither the runtime's nor a package's, or the
 * line above it.
 */
function placeOf(lines: readonly string[], index: number): string | undefined {
  for (const line of lines.slice(index + 1, index + 1 + traceLines)) {
    const place =
      /^\s+at .*?\(?([^\s()]+:\d+):\d+\)?$/.exec(line)?.[1] ??
      /^\s*(?:--> )?(\S+\.\w+:\d+)(?::\d+)?:?(?: \+0x\w+)?$/.exec(line)?.[1]
    if (place !== undefined && !/^node:|node_modules|<anonymous>|\/usr\/(?:local\/)?(?:lib\/)?go/.test(place))
      return place
  }
  for (const line of lines.slice(Math.max(0, index - 6), index)) {
    const place = /^(\S+\.\w+:\d+)$/.exec(line)?.[1]
    if (place !== undefined && !place.startsWith('node:')) return place
  }
  return undefined
}
