import { execFile } from 'node:child_process'
import { isAbsolute } from 'node:path'

/** A command of git that takes longer, or prints more, has no result. */
const limitMs = 2000
const limitBytes = 8 * 1024 * 1024

/**
 * Options against a repository whose own configuration would have git run programs: hooks, a monitor of files, a pager,
 * a verifier of signatures, a transport that fetches missing objects. Filters of files are left, which only commands
 * run that compare contents: none of them is used here. Git itself refuses the repository of another user.
 */
const hardened = [
  ...['--no-pager', '--no-optional-locks', '--literal-pathspecs'],
  ...['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.untrackedCache=false'],
  ...['-c', 'log.showSignature=false', '-c', 'protocol.allow=never', '-c', 'safe.bareRepository=explicit'],
  ...['-c', 'core.quotePath=false', '-c', 'submodule.recurse=false'],
] as const

/** Where git is, apart from the daemon's own PATH, which a service manager may have set. */
const usualFolders = ['/usr/local/bin', '/opt/homebrew/bin', '/usr/bin', '/bin']

/**
 * Runs a command of git that only reads, in a folder. Returns what it printed; undefined where git is missing, refuses,
 * or takes too long.
 */
export function runGit(folder: string, args: readonly string[]): Promise<string | undefined> {
  const options = {
    // From the root: no program of the project is found by a relative path.
    cwd: '/',
    env: environment(folder),
    encoding: 'utf8',
    timeout: limitMs,
    maxBuffer: limitBytes,
    killSignal: 'SIGKILL',
  } as const
  return new Promise(resolve => {
    execFile('git', [...hardened, '-C', folder, ...args], options, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    )
  })
}

function environment(folder: string): Record<string, string> {
  const { PATH = '', HOME, XDG_CONFIG_HOME } = process.env
  const own = PATH.split(':').filter(it => isAbsolute(it) && !`${it}/`.startsWith(`${folder}/`))
  return {
    PATH: [...own, ...usualFolders].join(':'),
    // The user's own configuration says which folders are safe.
    ...(HOME === undefined ? {} : { HOME }),
    ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }),
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
    // Stronger than any configuration.
    GIT_ALLOW_PROTOCOL: 'none',
  }
}
