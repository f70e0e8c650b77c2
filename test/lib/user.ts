import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Who programs under test run as; the ids go to `spawn`, which then drops root's groups and capabilities, too. */
export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const name = 'locald-test'

/** This package, built. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/**
 * An ordinary user, as root hides mistakes with permissions: undefined when the tests are run by one, else
 * `locald-test`, which is made when it is missing. Undefined, too, on macOS, where root's tests run as root, and where
 * Node is installed for root alone. Throws where the user cannot be made.
 */
export function ordinaryUser(): User | undefined {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return undefined
  const user = findOrMake()
  return mayRunNode(user) ? user : undefined
}

function findOrMake(): User {
  const user = find()
  if (user !== undefined) return user
  // One at a time: two of useradd, each of which found no such user, change the id of the one that the first has made.
  const make = `id ${name} >/dev/null 2>&1 || useradd --user-group --no-create-home --shell /bin/sh ${name}`
  const made = changeAccounts('sh', '-c', make)
  const found = find()
  if (found !== undefined) return found
  throw new Error(`the user ${name} cannot be made: ${made.error?.message ?? made.stderr}`)
}

/** Runs a program that changes users or groups while no other test does. */
export function changeAccounts(...argv: readonly string[]): { readonly error?: Error; readonly stderr: string } {
  return spawnSync('flock', ['/etc', ...argv], { encoding: 'utf8' })
}

/** The package's folder if the user may read it, else a copy of what runs, for as long as this process lives. */
export function packageFor(user: User | undefined): string {
  if (user === undefined || mayRead(user)) return root
  if (copied === undefined) {
    copied = copy()
    const folder = copied
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  }
  return copied
}

let copied: string | undefined

function find(): User | undefined {
  const id = (word: string) => spawnSync('id', [word, name], { encoding: 'utf8' })
  const [user, group] = [id('-u'), id('-g')]
  if (user.status !== 0 || group.status !== 0) return undefined
  return { name, uid: Number(user.stdout), gid: Number(group.stdout) }
}

/** Node, and the npm beside it. */
function mayRunNode({ uid, gid }: User): boolean {
  const looks = 'test -x "$1" && { ! test -e "$2" || test -x "$2"; }'
  const words = [process.execPath, join(dirname(process.execPath), 'npm')]
  return spawnSync('/bin/sh', ['-c', looks, 'sh', ...words], { uid, gid, cwd: '/' }).status === 0
}

function mayRead({ uid, gid }: User): boolean {
  const looks =
    'cd "$1" && test -r dist/cli/main.cjs && test -x build/native/locald-keeper && test -r node_modules/cac/package.json'
  return spawnSync('/bin/sh', ['-c', looks, 'sh', root], { uid, gid, cwd: '/' }).status === 0
}

/** The bundled program with the packages it needs. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'locald-package-'))
  const list = spawnSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, encoding: 'utf8' })
  const packages = list.stdout.split('\n').filter(path => path.startsWith(join(root, 'node_modules')))
  if (packages.length === 0) throw new Error(`npm ls: ${list.stderr}`)
  const built = ['dist', join('build', 'native')].map(part => join(root, part))
  for (const from of [join(root, 'package.json'), ...built, ...packages]) {
    cpSync(from, join(folder, from.slice(root.length)), { recursive: true, verbatimSymlinks: true })
  }
  spawnSync('chmod', ['-R', 'a+rX', folder])
  return folder
}
