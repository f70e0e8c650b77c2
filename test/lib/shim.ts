/** A setuid shim for tests: everything it may touch is below a folder of root's that goes with the test. Root only. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onlyLinux } from './machine.ts'

const build = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const sources = resolve(build, '..')
const isRoot = process.getuid?.() === 0

/** Why the tests of an installed shim cannot run here. */
export const unable: string | false =
  onlyLinux('namespaces, setpriv, other users') || (!isRoot && 'needs root, to install a setuid program')

export const plainHosts = '127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.1.2.3 printer\n'

/** What the bundle of a store has before. */
export const someRoot = '-----BEGIN CERTIFICATE-----\nsome root\n-----END CERTIFICATE-----\n'

const openssl = `
  exec > $ROOT/inherited 2>&1
  echo "$# $* $(id -u) $(env | sort | tr '\\n' ' ')"
  cat /proc/self/limits /proc/self/cgroup /proc/self/oom_score_adj
  cut -d ' ' -f 19,41 /proc/self/stat
  code=$(cat $ROOT/code 2>/dev/null || echo 0)
  [ "$code" = 0 ] || exit "$code"
  exec /usr/bin/openssl "$@"`

/** The exit of a run: its code (null: by a signal), and its output. */
export interface Ran {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly uid?: number
  /** Words before the shim's own path. */
  readonly through?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Another program than the installed shim. */
  readonly program?: string
}

const sanitizers = ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']

/** C files of the shim, without those that have a `main` of their own. */
export function shimSources(...without: readonly string[]): string[] {
  return ['native/common', 'shim'].flatMap(name =>
    readdirSync(join(sources, name))
      .filter(file => file.endsWith('.c') && !without.includes(file))
      .map(file => join(sources, name, file)),
  )
}

/** Compiles a C program; throws with the compiler's words. */
export function compile(output: string, flags: readonly string[], files: readonly string[]): void {
  const words = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', `-I${join(sources, 'native', 'common')}`]
  const ran = spawnSync(process.env['CC'] || 'cc', [...words, ...flags, ...files, '-o', output], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`${output} was not built: ${ran.stderr}`)
}

export class Installed {
  readonly root: string
  readonly uid: number
  readonly shim: string
  readonly hosts: string
  readonly conf: string
  /** `attack.c`, compiled. */
  readonly attack: string

  /** @param also flags and files of a build that is different */
  constructor({ sanitized, also = () => [] }: { sanitized: boolean; also?: (root: string) => readonly string[] }) {
    // Not below /tmp, where others may write.
    this.root = mkdtempSync('/var/lib/locald-shim-')
    chmodSync(this.root, 0o755)
    // A user of this test's own: no other test has the same process id.
    this.uid = 200_000 + process.pid * 2 + (sanitized ? 1_000_000_000 : 0)
    this.shim = join(this.root, 'usr/local/libexec/locald/locald-shim')
    this.hosts = join(this.root, 'etc/hosts')
    this.conf = join(this.root, 'etc/locald/shim.conf')
    mkdirSync(dirname(this.shim), { recursive: true, mode: 0o755 })
    compile(
      this.shim,
      [`-DSHIM_ROOT="${this.root}"`, ...(sanitized ? sanitizers : ['-O2', '-static']), ...also(this.root)],
      shimSources('fuzz.c'),
    )
    chmodSync(this.shim, 0o4755)
    this.attack = join(this.root, 'attack')
    compile(this.attack, ['-O1'], [resolve(build, '..', 'test', 'shim', 'attack.c')])
    this.reset()
  }

  /** A fresh `etc`, and no store of certificates. */
  reset(): void {
    for (const name of ['etc', 'usr/bin', 'usr/sbin', 'usr/local/share', 'code', 'updates', 'inherited'])
      rmSync(join(this.root, name), { recursive: true, force: true })
    mkdirSync(join(this.root, 'etc/locald'), { recursive: true, mode: 0o755 })
    chmodSync(join(this.root, 'etc'), 0o755)
    writeFileSync(this.hosts, plainHosts, { mode: 0o644 })
    writeFileSync(this.conf, `# who may call\nuid ${this.uid}\n`, { mode: 0o644 })
    writeFileSync(join(this.root, 'etc/locald/shim.lock'), '', { mode: 0o600 })
  }

  /** Where a store as Debian's keeps what users trust. */
  get certs(): string {
    return join(this.root, 'etc/ssl/certs')
  }

  /** The bundle of that store. */
  get bundle(): string {
    return join(this.certs, 'ca-certificates.crt')
  }

  /**
   * A store as Debian has it, with a root of its own. Its openssl writes what it inherits to `inherited`, and ends with
   * the code in `code` without having done anything; update-ca-certificates, which is not to be run, writes to
   * `updates`.
   */
  addStore(): void {
    const programs = {
      'usr/sbin/update-ca-certificates': `echo run >> ${this.root}/updates`,
      'usr/bin/openssl': openssl,
    }
    for (const folder of ['usr/local/share/ca-certificates', 'etc/ssl/certs', 'etc/ca-certificates/update.d'])
      mkdirSync(join(this.root, folder), { recursive: true, mode: 0o755 })
    for (const [name, script] of Object.entries(programs)) {
      mkdirSync(dirname(join(this.root, name)), { recursive: true, mode: 0o755 })
      writeFileSync(join(this.root, name), `#!/bin/sh\nROOT=${this.root}\n${script}\n`, { mode: 0o755 })
      chmodSync(join(this.root, name), 0o755)
    }
    writeFileSync(this.bundle, someRoot, { mode: 0o644 })
  }

  run(words: readonly string[], options: RunOptions = {}): Ran {
    const argv = [...(options.through ?? []), options.program ?? this.shim, ...words]
    const uid = options.uid ?? this.uid
    const ran = spawnSync(argv[0] ?? '', argv.slice(1), {
      uid,
      gid: uid,
      cwd: '/',
      input: options.input ?? '',
      // LeakSanitizer cannot look into what hides from ptrace.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ASAN_OPTIONS: 'detect_leaks=0', ...options.env },
      timeout: 30_000,
    })
    if (ran.error !== undefined && ran.status === null && ran.signal === null) throw ran.error
    const errors = ran.stderr.toString()
    if (/Sanitizer|runtime error/.test(errors)) throw new Error(errors)
    return { code: ran.status, output: ran.stdout.toString(), errors }
  }

  /** Everything below the root but the program: names, kinds, owners, modes, contents. */
  snapshot(): string {
    const lines: string[] = []
    const look = (path: string): void => {
      const info = lstatSync(path)
      const about = [path.slice(this.root.length), info.mode.toString(8), info.uid, info.gid, info.nlink]
      if (info.isFile())
        about.push(createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12), info.ino)
      if (info.isSymbolicLink()) about.push(readlinkSync(path))
      if (path !== this.shim) lines.push(about.join(' '))
      if (info.isDirectory()) for (const name of readdirSync(path).sort()) look(join(path, name))
    }
    look(this.root)
    return lines.join('\n')
  }

  give(path: string): void {
    chownSync(path, this.uid, this.uid)
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** What `hosts` takes. */
export function hostsInput(...names: readonly string[]): string {
  return `locald-hosts 1 ${names.length}\n${names.map(name => `${name}\n`).join('')}`
}

/** A user's block as the hosts file has it. */
export function block(uid: number, ...names: readonly string[]): string {
  const lines = names.map(name => `127.0.0.1 ${name}\n::1 ${name}\n`)
  return `# BEGIN locald uid ${uid}\n${lines.join('')}# END locald uid ${uid}\n`
}
