import { commandsOf, isBuild, isLocald, isPageServer } from './command-line.ts'
import { type Manifest, scriptOf } from './manifest.ts'

/** One command of a script that runs several at once. */
export interface ParallelCommand {
  readonly label: string
  /** Its folder, relative to the package. */
  readonly dir: string
  /** The script that it runs there; absent: the command itself. */
  readonly script?: string
  readonly command: string
}

const runner =
  /^(?:(?:cross-env\s+)?(?:[A-Z_]\w*=\S*\s+)*)(?:(?:npx|bunx|pnpm exec|yarn)\s+)?(concurrently|run-p|npm-run-all2?|run-pty)\s+/
/** Flags of these programs that have a value. */
const valued = new Set([
  '-n',
  '--names',
  '-c',
  '--prefix-colors',
  '-p',
  '--prefix',
  '-l',
  '--prefix-length',
  '-s',
  '--success',
  '-m',
  '--max-processes',
  '--restart-tries',
  '--restart-after',
  '-t',
  '--timestamp-format',
  '--kill-signal',
  '--max-parallel',
])
const word = /'([^']*)'|"([^"]*)"|([^\s'"]+)/g

/**
 * Returns the commands of a script that does nothing but run several at once, by `concurrently` or `npm-run-all`;
 * undefined for all others, and where one of them is not understood.
 */
export function parallelCommands(manifest: Manifest, text: string): readonly ParallelCommand[] | undefined {
  const [head = '', program = ''] = runner.exec(text.trim()) ?? []
  if (program === '' || /[;&|]/.test(text.replace(word, quoted => (/^['"]/.test(quoted) ? '' : quoted))))
    return undefined
  const words = [...text.trim().slice(head.length).matchAll(word)].map(
    ([, one, two, plain]) => one ?? two ?? plain ?? '',
  )
  const isParallel = program !== 'npm-run-all' && program !== 'npm-run-all2'
  if (!isParallel && !words.some(each => each === '-p' || each === '--parallel')) return undefined
  const names = /(?:^|\s)(?:-n|--names)[= ]["']?([^\s"']+)/.exec(text)?.[1]?.split(/[,;]/) ?? []
  const plain = words.filter((each, at) => !each.startsWith('-') && !isValue(words[at - 1], program))
  const found = plain.flatMap(each => toCommands(manifest, each, program))
  if (found.length < 2 || found.some(each => each === undefined)) return undefined
  const commands = found.filter(each => each !== undefined)
  return commands.map((each, at) =>
    names.length === commands.length ? { ...each, label: names[at] ?? each.label } : each,
  )
}

function isValue(before: string | undefined, program: string): boolean {
  // `-p` of npm-run-all is `--parallel`.
  return before !== undefined && valued.has(before) && (program === 'concurrently' || before !== '-p')
}

function toCommands(manifest: Manifest, text: string, program: string): readonly (ParallelCommand | undefined)[] {
  const [, named] = (program === 'concurrently' ? /^(?:npm|pnpm|yarn|bun|node):(\S+)$/ : /^(\S+)$/).exec(text) ?? []
  if (named === undefined) return [toCommand(text)]
  const names = named.includes('*') ? scriptsLike(manifest, named) : [named]
  return names.map(script => (scriptOf(manifest, script) === undefined ? undefined : ofScript('.', script)))
}

function scriptsLike({ scripts }: Manifest, glob: string): readonly string[] {
  const [before = '', after = ''] = glob.split('*', 2)
  return Object.keys(scripts).filter(
    name => name.startsWith(before) && name.endsWith(after) && name.length > before.length,
  )
}

const inFolder = [
  /^cd\s+([\w./-]+)\s*&&\s*(?:npm|pnpm|yarn|bun)(?:\s+run)?\s+([\w:-]+)$/,
  /^(?:npm|pnpm|yarn|bun)\s+(?:--prefix|--cwd|--dir|-C)[= ]([\w./-]+)\s+(?:run\s+)?([\w:-]+)$/,
]
const afterScript = /^(?:npm|pnpm|yarn|bun)(?:\s+run)?\s+([\w:-]+)\s+(?:--prefix|--cwd|-C)[= ]([\w./-]+)$/
const plainScript = /^(?:npm|pnpm|yarn|bun)(?:\s+run)?\s+([\w:-]+)$/

function toCommand(text: string): ParallelCommand | undefined {
  const trimmed = text.trim()
  for (const pattern of inFolder) {
    const [, dir, script] = pattern.exec(trimmed) ?? []
    if (dir !== undefined && script !== undefined) return ofScript(dir, script)
  }
  const [, last, folder] = afterScript.exec(trimmed) ?? []
  if (last !== undefined && folder !== undefined) return ofScript(folder, last)
  const [, script] = plainScript.exec(trimmed) ?? []
  if (script !== undefined) return ofScript('.', script)
  const [first] = commandsOf(trimmed)
  if (first === undefined || /[;&|$`]/.test(trimmed)) return undefined
  return { label: labelOf(first.program, trimmed), dir: '.', command: trimmed }
}

/** Programs that run a file, which is named like what it serves. */
const interpreter = /^(?:node(?:mon)?|tsx|ts-node|bun|python3?|ruby)$/

/** Returns `api` for `node api.js`; the program where it runs no file, or an `index` or a `main`. */
function labelOf(program: string, text: string): string {
  const [, file] = /[\s/]([\w-]+)\.(?:[cm]?[jt]s|py|rb)(?=\s|$)/.exec(text) ?? []
  return file === undefined || file === 'index' || file === 'main' || !interpreter.test(program) ? program : file
}

function ofScript(dir: string, script: string): ParallelCommand {
  const folder = dir.replace(/^\.\//, '').replace(/\/+$/, '') || '.'
  const label =
    folder === '.' ? script.replace(/^(?:dev|start|serve|watch|run):/, '') : folder.slice(folder.lastIndexOf('/') + 1)
  return { label, dir: folder, script, command: script }
}

/** Returns the text that a command runs, of the scripts in its folder. */
export function textOfCommand({ script, command }: ParallelCommand, manifest: Manifest | undefined): string {
  return script === undefined ? command : ((manifest && scriptOf(manifest, script)) ?? '')
}

/** Returns whether one of several commands serves the pages of a browser; the others run as they do without locald. */
export function isPage(text: string): boolean {
  return isPageServer(text) && !isBuild(text) && !isLocald(text)
}
