import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { exists } from '../system/stat.ts'
import { foldersOf, type Subject, wordsOf } from './subject.ts'

/** A tool whose version matters to the services that a file in their folder, or their command, names. */
interface Tool {
  readonly program: string
  readonly files: readonly string[]
  readonly words: RegExp
  /** The arguments that print the version. */
  readonly argv: readonly string[]
}

const tools: readonly Tool[] = [
  { program: 'node', files: ['package.json'], words: /^(?:node|npm|npx|pnpm|yarn|tsx|vite)$/, argv: ['--version'] },
  { program: 'bun', files: ['bun.lock', 'bun.lockb'], words: /^bunx?$/, argv: ['--version'] },
  { program: 'deno', files: ['deno.json', 'deno.jsonc'], words: /^deno$/, argv: ['--version'] },
  {
    program: 'python3',
    files: ['pyproject.toml', 'requirements.txt'],
    words: /^(?:python3?|uv|poetry|uvicorn|gunicorn|flask)$|\.py$/,
    argv: ['--version'],
  },
  { program: 'ruby', files: ['Gemfile'], words: /^(?:ruby|bundle|rails)$/, argv: ['--version'] },
  { program: 'php', files: ['composer.json'], words: /^(?:php|composer)$/, argv: ['--version'] },
  { program: 'go', files: ['go.mod'], words: /^go$/, argv: ['version'] },
  { program: 'cargo', files: ['Cargo.toml'], words: /^cargo$/, argv: ['--version'] },
  {
    program: 'java',
    files: ['pom.xml', 'build.gradle', 'build.gradle.kts'],
    words: /^(?:java|mvn|gradle)$/,
    argv: ['-version'],
  },
]

/** A tool that does not print its version within this is left out: ms. */
const limitMs = 2000
/** bytes */
const limitBytes = 64 * 1024
/** Services that start together share the result: ms. */
const memoMs = 60_000
/** Of setpriority(2): a version is never urgent. */
const niceness = 10

/** Reads the versions of the tools that services use. */
export class ToolVersions {
  readonly #memo = new Map<string, { readonly untilMs: number; readonly version: Promise<string | undefined> }>()

  /**
   * Returns the versions of a service's tools, as its own PATH finds them. `isFresh`: without those of the last minute.
   * None of a guest, which has programs of its own.
   */
  async of(subject: Subject, isFresh = false): Promise<Readonly<Record<string, string>>> {
    if (subject.isGuest) return {}
    const { env = {} } = subject.service
    const words = wordsOf(subject.plan.options)
    const folders = foldersOf(subject)
    const found = tools.map(async ({ program, files, words: named, argv }) => {
      const isUsed = words.some(word => named.test(word)) || (await hasAny(folders, files))
      const path = isUsed ? await findProgram(program, env['PATH'] ?? '') : undefined
      if (path === undefined) return []
      const version = await this.#version([path, ...argv], subject.dir, env, isFresh)
      return version === undefined ? [] : [[program, version] as const]
    })
    return Object.fromEntries((await Promise.all(found)).flat())
  }

  #version(
    argv: readonly string[],
    dir: string,
    env: Readonly<Record<string, string>>,
    isFresh: boolean,
  ): Promise<string | undefined> {
    const key = JSON.stringify([argv, dir])
    const now = performance.now()
    for (const [known, { untilMs }] of this.#memo)
      if (untilMs < now || (isFresh && known === key)) this.#memo.delete(known)
    const last = this.#memo.get(key)
    if (last !== undefined) return last.version
    const version = readVersion(argv, dir, env)
    this.#memo.set(key, { untilMs: now + memoMs, version })
    return version
  }
}

function readVersion(
  [program = '', ...args]: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const options = {
    cwd,
    env,
    timeout: limitMs,
    maxBuffer: limitBytes,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  } as const
  return new Promise(resolve => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const [, version] = /\b(v?\d+(?:\.\d+)+[\w.+-]*)/.exec(`${stdout}\n${stderr}`) ?? []
      resolve(error === null ? version : undefined)
    })
    child.stdin?.end()
    try {
      if (child.pid !== undefined) setPriority(child.pid, niceness)
    } catch {
      // It has exited already.
    }
  })
}

async function hasAny(folders: readonly string[], files: readonly string[]): Promise<boolean> {
  for (const folder of folders) for (const file of files) if (await exists(join(folder, file))) return true
  return false
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(':').filter(isAbsolute)) {
    const file = join(folder, name)
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return undefined
}
