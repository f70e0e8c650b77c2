import { parseSimpleCommand } from '../port-flags/simple-command.ts'

/** A script that a command runs by npm. */
export interface NpmCommand {
  /** The name of the script. */
  readonly script: string
  /** Its arguments, as npm passes them. */
  readonly args: readonly string[]
  /** npm's own name of the command: `start`, `test`; `run` for `npm run`. */
  readonly name: string
}

type Env = Readonly<Record<string, string>>

/**
 * Reads a shell command that is `npm run NAME`, `npm start` or `npm test` with arguments for the script. Undefined for
 * all others, those with options of npm among them.
 */
export function parseNpmCommand(command: string, env: Env): NpmCommand | undefined {
  const plain = expand(command, env)
  const simple = plain === undefined ? undefined : parseSimpleCommand(plain)
  if (simple === undefined || simple.variables.length > 0) return undefined
  const [program, name = '', ...rest] = simple.words[0] === 'exec' ? simple.words.slice(1) : simple.words
  if (program !== 'npm') return undefined
  const isRun = name === 'run' || name === 'run-script'
  if (!isRun && name !== 'start' && name !== 'test') return undefined
  const words = isRun ? rest : [name, ...rest]
  const end = words.indexOf('--')
  const own = end < 0 ? words : words.slice(0, end)
  const [script] = own
  if (script === undefined || script === '' || own.some(word => word.startsWith('-'))) return undefined
  const args = [...own.slice(1), ...(end < 0 ? [] : words.slice(end + 1))]
  return { script, args, name: isRun ? 'run' : name }
}

/**
 * Puts the values of variables into a command, where that is all a shell would do with them: they are plain words, and
 * nothing quotes them.
 */
function expand(command: string, env: Env): string | undefined {
  // The reader of simple commands leaves a home folder as it is written.
  if (command.includes('~')) return undefined
  if (!command.includes('$')) return command
  // `$HOST` is the only expansion in what that reader accepts.
  if (/['\\]/.test(command)) return command.includes('$HOST') ? undefined : command
  const plain = command.replace(/\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g, (written, bare, braced) => {
    const value = env[bare ?? braced] ?? ''
    return /^[\w@%+=:,./-]+$/.test(value) ? value : written
  })
  return plain.includes('$') ? undefined : plain
}

/** Quotes an argument for a shell as npm does (@npmcli/promise-spawn, lib/escape.js): brackets stay patterns. */
export function quoteArgument(text: string): string {
  if (text === '') return "''"
  if (!/[\t\n\r "#$&'()*;<>?\\`|~]/.test(text)) return text
  return `'${text.replaceAll("'", "'\\''")}'`.replace(/^(?:'')+(?!$)/, '').replaceAll("\\'''", "\\'")
}
