import { randomBytes } from 'node:crypto'
import { LocaldError } from '../../../kernel/errors.ts'

/** How variables reach an engine's CLI in the VM without being in an argv. */
export interface VariablePlan {
  /** What the CLI needs after its verb: `-e NAME`, which reads the CLI's own environment, or `--env-file`. */
  readonly flags: readonly string[]
  /** A script for a shell in the VM: it exports the variables, and writes the file. */
  readonly script: string
  /** The file in the VM, which is removed after the command. */
  readonly file: string | undefined
}

/** Names that a POSIX shell can export. */
const exportable = /^[A-Za-z_][A-Za-z0-9_]*$/
/**
 * Variables that would change what the shells, nerdctl, podman or docker do, or that a shell does not let one set. They
 * go by a file.
 */
const steering =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|PWD|OLDPWD|LANG|LC_\w+|TZ|IFS|ENV|CDPATH|PS[1-4]|OPTIND|OPTARG|PPID|UID|EUID|GROUPS|RANDOM|SECONDS|LINENO|SHELLOPTS|BASHOPTS|BASH\w*|POSIXLY_CORRECT|LD_\w+|GO\w+|(?:https?|all|no|ftp)_proxy|XDG_\w+|DBUS_\w+|SSH_\w+|SSL_CERT_\w+|DOCKER_\w+|BUILDKIT_\w+|BUILDAH_\w+|CONTAINERD?S?_\w+|NERDCTL_\w+|CNI_\w+|NETCONFPATH|ROOTLESSKIT_\w+|REGISTRY_\w+|STORAGE_\w+|NOTIFY_SOCKET|LISTEN_\w+|SUDO_\w+|_locald\w*)$/i

/** Plans how variables are passed. Throws CONFIG_INVALID for a name or a value that no way takes. */
export function planVariables(variables: Readonly<Record<string, string>>): VariablePlan {
  const all = Object.entries(variables)
  const byFile = all.filter(([name]) => !exportable.test(name) || steering.test(name))
  const exported = all.filter(entry => !byFile.includes(entry))
  for (const [name, value] of byFile) requireLine(name, value)
  const file = byFile.length === 0 ? undefined : `/tmp/locald-${randomBytes(12).toString('hex')}`
  const lines = exported.map(([name, value]) => `export ${name}=${quoteWord(value)}`)
  return {
    flags: [...exported.flatMap(([name]) => ['-e', name]), ...(file === undefined ? [] : ['--env-file', file])],
    script: [...lines, ...(file === undefined ? [] : [writeFile(file, byFile)])].map(line => `${line}\n`).join(''),
    file,
  }
}

/** Quotes a word for a POSIX shell. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** `set -C` refuses a file that is there; the shell's own `printf` has no argv. */
function writeFile(file: string, entries: readonly (readonly [string, string])[]): string {
  const words = entries.map(([name, value]) => quoteWord(`${name}=${value}`)).join(' ')
  return `(umask 077; set -C; printf '%s\\n' ${words} >${file}) || exit 125`
}

/** The file has one variable a line, without quotes, and the engines remove white space before and after it. */
function requireLine(name: string, value: string): void {
  const isName = name !== '' && name.trim() === name && !/^#|[\r\n=]/.test(name)
  if (!isName) throw invalid(name, 'has a name that containers in the Lima VM cannot get', 'Rename the variable.')
  const isCut = value !== value.trimEnd()
  if (!isCut && !/[\r\n]/.test(value)) return
  const what = /[\r\n]/.test(value) ? 'has a line break' : 'has white space at its end'
  throw invalid(name, what, `Remove it or rename the variable: a container can get '${name}' in one line only.`)
}

function invalid(name: string, what: string, hint: string): LocaldError {
  return new LocaldError('CONFIG_INVALID', `variable '${name}' ${what}`, { hint })
}
