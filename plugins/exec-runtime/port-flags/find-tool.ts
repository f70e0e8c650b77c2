import type { Scripts } from '../package-json.ts'
import { parseSimpleCommand, type SimpleCommand } from './simple-command.ts'
import { type Tool, tools } from './tools.ts'

/** A tool that a command runs, and the words between the command and what is appended to it. */
export interface FoundTool {
  readonly tool: Tool
  /** npm passes what comes after `--` to the script. */
  readonly separator: '' | '-- '
  /** The arguments of the tool. */
  readonly args: readonly string[]
}

/** What a runner runs: words of a program, or a script with arguments. */
type Target =
  | { readonly words: readonly string[] }
  | { readonly script: string; readonly args: readonly string[]; readonly isNpm: boolean }

/** Runners whose next words are a program: by their own words, with the flags that may stand before the program. */
const runners: readonly { readonly words: readonly string[]; readonly flags?: readonly string[] }[] = [
  { words: ['exec'] },
  { words: ['npx'], flags: ['-y', '--yes', '--no', '--no-install'] },
  { words: ['bunx'], flags: ['--bun'] },
  { words: ['bun', 'x'], flags: ['--bun'] },
  { words: ['pnpx'] },
  { words: ['pnpm', 'exec'] },
  { words: ['pnpm', 'dlx'] },
  { words: ['yarn', 'exec'] },
  { words: ['yarn', 'dlx'] },
  { words: ['uvx'] },
  { words: ['uv', 'run'] },
  { words: ['poetry', 'run'] },
  { words: ['pipenv', 'run'] },
  { words: ['pdm', 'run'] },
  { words: ['bundle', 'exec'] },
]
const python = /^(?:.*\/)?python(?:3(?:\.\d+)?)?$/
/** Commands of package managers that are not scripts or programs of packages. */
const ownCommands = new Set(['install', 'add', 'create', 'init', 'test', 'build', 'workspace', 'workspaces', 'exec'])
const mostRunners = 4

/**
 * Finds the tool of the table that a command runs, through runners and package scripts, where `$PORT` is to be appended
 * for it. Undefined also where the command is not a simple one, has a port or `--`, or does not serve.
 */
export function findTool(
  command: string,
  scripts: Scripts,
  isSet: (variable: string) => boolean,
): FoundTool | undefined {
  const simple = parseSimpleCommand(command)
  const target = simple && targetOf(simple, scripts)
  if (target === undefined) return undefined
  if ('words' in target) return found(target.words, '', isSet)
  const text = Object.hasOwn(scripts, target.script) ? scripts[target.script] : undefined
  const script = text === undefined ? undefined : parseSimpleCommand(text)
  // Npm would read arguments that are not after `--` itself.
  if (script === undefined || (target.isNpm && target.args.length > 0)) return undefined
  const inner = targetOf(script, scripts)
  if (inner === undefined || !('words' in inner)) return undefined
  return found([...inner.words, ...target.args], target.isNpm ? '-- ' : '', name => {
    return isSet(name) || script.variables.includes(name)
  })

  function found(words: readonly string[], separator: FoundTool['separator'], isSetNow: typeof isSet) {
    const isKnown = (name: string) => isSetNow(name) || simple?.variables.includes(name) === true
    const tool = tools.find(each => serves(each, words) && !(each.variable && isKnown(each.variable)))
    return tool && { tool, separator, args: words.slice(1) }
  }
}

/** Takes runners off the front of a command. Undefined where it is not clear what they run. */
function targetOf({ words }: SimpleCommand, scripts: Scripts, left = mostRunners): Target | undefined {
  if (left === 0) return undefined
  const again = (rest: readonly string[]) => targetOf({ variables: [], words: rest }, scripts, left - 1)
  const [first = '', second = '', ...others] = words
  if (first === 'cross-env' || first === 'env') return again(words.slice(1).slice(countAssignments(words.slice(1))))
  const runner = runners.find(each => each.words.every((word, at) => words[at] === word))
  if (runner !== undefined) {
    const rest = words.slice(runner.words.length)
    const flags = rest.findIndex(word => runner.flags?.includes(word) !== true)
    return flags < 0 || rest[flags]?.startsWith('-') ? undefined : again(rest.slice(flags))
  }
  if (python.test(first)) return pythonProgram(words.slice(1))
  if (first === 'npm') {
    const name = second === 'run' || second === 'run-script' ? others[0] : second === 'start' ? second : undefined
    if (name === undefined || name.startsWith('-')) return undefined
    const args = (second === 'start' ? others : others.slice(1)).filter(word => word !== '--silent' && word !== '-s')
    return { script: name, args, isNpm: true }
  }
  if (first === 'pnpm' || first === 'yarn' || first === 'bun') return managed(words.slice(1), scripts, again)
  return { words }
}

/** `pnpm run dev`, `yarn dev`, `bun dev`; without such a script, a program of a package. */
function managed(
  words: readonly string[],
  scripts: Scripts,
  again: (words: readonly string[]) => Target | undefined,
): Target | undefined {
  const plain = words.filter((word, at) => !(at < 2 && (word === '--bun' || word === '--silent' || word === '-s')))
  const [name = '', ...args] = plain[0] === 'run' ? plain.slice(1) : plain
  if (name === '' || name.startsWith('-')) return undefined
  if (Object.hasOwn(scripts, name)) return { script: name, args, isNpm: false }
  return plain[0] === 'run' || ownCommands.has(name) ? undefined : again([name, ...args])
}

/** `python -m flask run`, `python manage.py runserver`. */
function pythonProgram(words: readonly string[]): Target | undefined {
  const rest = words.filter((word, at) => !(at < 2 && (word === '-u' || word === '-B')))
  const program = rest[0] === '-m' ? rest.slice(1) : rest
  return program[0] === undefined || program[0].startsWith('-') ? undefined : { words: program }
}

function countAssignments(words: readonly string[]): number {
  const count = words.findIndex(word => !/^[A-Za-z_]\w*=/.test(word))
  return count < 0 ? words.length : count
}

/** Whether words run a tool so that it serves, on no written port. */
function serves(tool: Tool, [program = '', ...args]: readonly string[]): boolean {
  if (!tool.programs.includes(programName(program))) return false
  if (args.includes('--') || args.some(word => hasPort(tool, word))) return false
  if (args.some(word => ['--help', '-h', '--version', ...(tool.except ?? [])].includes(word))) return false
  if (tool.only !== undefined && !args.includes(tool.only)) return false
  const rest = args.slice(countGlobals(tool, args))
  if (tool.commands === undefined) return true
  return tool.commands.some(each => each.split(' ').every((word, at) => rest[at] === word))
}

/** `node_modules/.bin/vite`, `.venv/bin/flask`, `vite@8`: the name; another path names another program. */
function programName(program: string): string {
  const name = program.replace(/^(?:.*\/)?\.?bin\//, '').replace(/^\.\/(?=manage\.py$)/, '')
  return name.replace(/(?<=.)@[\w.^~-]+$/, '')
}

function hasPort({ written = [], isPositional }: Tool, word: string): boolean {
  if (/^(?:--?port|-p)(?:=|$)|^-p\d/i.test(word)) return true
  if (written.some(flag => word === flag || word.startsWith(`${flag}=`))) return true
  if (written.some(flag => /^-\w$/.test(flag) && word.startsWith(flag))) return true
  return isPositional === true && /^(?:.*:)?\d+$/.test(word)
}

/** Counts the words before a tool's command. */
function countGlobals({ globals = [] }: Tool, args: readonly string[]): number {
  let at = 0
  while (args[at]?.startsWith('-')) at += globals.includes(args[at] ?? '') ? 2 : 1
  return at
}
