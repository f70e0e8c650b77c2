import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { PrivilegedPaths } from '../../kernel/system/paths.ts'
import { digestOf, isRoots, sha256, writeRoots } from './root-files.ts'
import { systemRoots } from './system-roots.ts'

/** The helper ends by itself after 15 s, and after 120 s where it runs a program of the distribution. ms */
const helperMs = 130_000
/** Of what answers at once, ms. */
const toolMs = 20_000
/** A list of what is done, in words; and doing it. */
export interface Step {
  readonly text: string
  /** Whether the others are done when this one fails: its error's hint is how a person does it. */
  readonly isOptional?: true
  run(): void
}

/** What `admin setup` is to bring about. */
export interface Wish {
  /** The helper that came with this locald. */
  readonly source: string
  /** Who may call it. */
  readonly uid: number
  /** Only the capability to bind low ports, instead of the setuid bit. */
  readonly capabilities: boolean
}

const confName = 'shim.conf'
const lockName = 'shim.lock'
const portsOnly = '# ports only'
const head = '# Who may call locald-shim; written by `locald admin setup`.'
/** What `bind` answers without Node's channel: all that comes before was right. */
const noChannel = 20
const system = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'] as const

/** Steps that are still to be done for the wish; none when all is as it should be. Throws SHIM_MISSING, SHIM_FAILED. */
export function setupSteps(paths: PrivilegedPaths, wish: Wish): readonly Step[] {
  const bytes = readSource(wish.source)
  const shim = paths.shims.find(isRoots)
  if (shim === undefined) {
    throw new LocaldError('SHIM_FAILED', `others than root may write to a folder of ${paths.shims.join(' and of ')}`, {
      hint: `Give the folders to root: \`sudo chown root ${dirname(paths.shims[0] ?? '')}\`, and take write access from others.`,
    })
  }
  const steps: Step[] = []
  for (const other of paths.shims) if (other !== shim && existsSync(other)) steps.push(removal(other))
  if (!isInstalled(shim, bytes, wish.capabilities)) {
    const how = wish.capabilities ? 'with the capability to bind ports below 1024' : 'setuid root'
    steps.push({
      text: `install ${shim}, ${how} (SHA-256 ${sha256(bytes)})`,
      run: () => install(shim, bytes, wish.capabilities),
    })
  }
  const conf = join(paths.conf, confName)
  const list = listWith(conf, wish)
  if (readText(conf) !== list) {
    const text = `let user ${wish.uid} call it (${conf})`
    steps.push({ text, run: () => writeRoots(conf, Buffer.from(list), 0o644) })
  }
  const lock = join(paths.conf, lockName)
  if (!existsSync(lock)) steps.push({ text: `make ${lock}`, run: () => writeRoots(lock, Buffer.alloc(0), 0o600) })
  return steps
}

/** What the installed helper says when the user calls it; undefined when it works. */
export function complaintOf(paths: PrivilegedPaths, uid: number): string | undefined {
  const shim = paths.shims.find(path => existsSync(path)) ?? ''
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const ran = spawnSync(shim, ['bind', '80'], { uid, gid: uid, cwd: '/', env: {}, stdio: [...stdio], timeout: toolMs })
  if (ran.status === noChannel) return undefined
  return ran.error?.message ?? (ran.stderr.toString().trim() || `it was ended by ${ran.signal}`)
}

/** Steps that leave nothing of the helper's: users' blocks and certificates first, by the helper itself, then the helper. */
export function uninstallSteps(paths: PrivilegedPaths): readonly Step[] {
  const steps: Step[] = []
  const shim = paths.shims.find(path => existsSync(path))
  if (shim !== undefined) {
    const conf = join(paths.conf, confName)
    for (const uid of blockOwners(paths.hosts)) {
      const text = `remove the names of user ${uid} from ${paths.hosts}`
      steps.push({ text, run: () => callAs(uid, conf, [shim, 'hosts'], 'locald-hosts 1 0\n') })
    }
    for (const { file, uid } of anchorsOf(paths)) {
      steps.push({ text: `remove ${file}`, run: () => callAs(uid, conf, [shim, 'untrust'], readFileSync(file)) })
    }
    for (const { name, pem, byHand } of systemRoots(paths.keychain)) {
      steps.push({
        text: `remove ${name} from the system keychain: macOS asks for an administrator’s name and password`,
        isOptional: true,
        run: () => callAs(0, conf, [shim, 'untrust'], pem, `Run \`${byHand}\` in Terminal at the Mac’s screen.`),
      })
    }
  }
  for (const path of paths.shims) if (existsSync(path)) steps.push(removal(path))
  if (existsSync(paths.conf)) {
    steps.push({ text: `remove ${paths.conf}`, run: () => rmSync(paths.conf, { recursive: true }) })
  }
  for (const slice of paths.slices) {
    // In use as long as a daemon or a service is in it.
    const isEmpty = /^populated 0$/m.test(readText(join(slice, 'cgroup.events')) ?? '')
    if (isEmpty) steps.push({ text: `remove ${slice}`, run: () => prune(slice) })
  }
  return steps
}

function prune(folder: string): void {
  const entries = readdirSync(folder, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) prune(join(folder, entry.name))
  rmdirSync(folder)
}

function readSource(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new LocaldError('SHIM_MISSING', `there is no privileged helper for this machine: ${path}`, {
      hint: 'Install locald again with its optional packages, or with a C compiler (`cc`) on PATH.',
      cause: error,
    })
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function isInstalled(path: string, bytes: Buffer, capabilities: boolean): boolean {
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (info === undefined || !info.isFile() || info.uid !== 0 || digestOf(path) !== sha256(bytes)) return false
  return (info.mode & 0o7777) === (capabilities ? 0o755 : 0o4755)
}

function install(path: string, bytes: Buffer, capabilities: boolean): void {
  writeRoots(path, bytes, capabilities ? 0o755 : 0o4755, draft => {
    if (!capabilities) return
    const ran = spawnSync(program('setcap'), ['cap_net_bind_service=ep', draft], { encoding: 'utf8', timeout: toolMs })
    if (ran.status === 0) return
    throw new LocaldError('SHIM_FAILED', `setcap failed: ${ran.error?.message ?? ran.stderr.trim()}`, {
      hint: 'Run `sudo locald admin setup` without --capabilities.',
    })
  })
}

/** By its absolute path: PATH is the caller's. */
function program(name: string): string {
  const path = system.map(folder => join(folder, name)).find(it => existsSync(it))
  if (path !== undefined) return path
  const hint =
    'Install it (Debian: `apt install libcap2-bin`), or run `sudo locald admin setup` without --capabilities.'
  throw new LocaldError('SHIM_FAILED', `${name} is not installed`, { hint })
}

/** The list with the user on it; who was on it stays. */
function listWith(conf: string, { uid, capabilities }: Wish): string {
  const before = [...(readText(conf) ?? '').matchAll(/^uid (\d{1,10})$/gm)].map(([, number]) => Number(number))
  const uids = [...new Set([...before, uid])].sort((a, b) => a - b)
  return `${[head, ...(capabilities ? [portsOnly] : []), ...uids.map(number => `uid ${number}`)].join('\n')}\n`
}

function removal(path: string): Step {
  const run = (): void => {
    rmSync(path, { force: true })
    // A folder of this name that has something else in it stays.
    if (basename(dirname(path)) === 'locald' && readdirSync(dirname(path)).length === 0) rmdirSync(dirname(path))
  }
  return { text: `remove ${path}`, run }
}

function blockOwners(hosts: string): readonly number[] {
  const text = readText(hosts) ?? ''
  return [...new Set([...text.matchAll(/^# BEGIN locald uid (\d{1,10})\r?$/gm)].map(([, uid]) => Number(uid)))]
}

function anchorsOf(paths: PrivilegedPaths): readonly { readonly file: string; readonly uid: number }[] {
  return paths.anchors.filter(existsSync).flatMap(folder =>
    readdirSync(folder).flatMap(name => {
      const uid = /^locald-(\d{1,10})-[0-9a-f]+\.(?:crt|pem)$/.exec(name)?.[1]
      const file = join(folder, name)
      // Links to certificates go with them.
      return uid === undefined || !lstatSync(file).isFile() ? [] : [{ file, uid: Number(uid) }]
    }),
  )
}

/** Calls the helper as a user who may have been taken off the list since; the list is then as it was, whatever comes of it. */
function callAs(
  uid: number,
  conf: string,
  [shim, verb]: readonly [string, string],
  input: string | Buffer,
  hint = 'Run `sudo locald admin uninstall` again: what was done already is passed over.',
): void {
  const before = readText(conf)
  const isListed = before?.split('\n').includes(`uid ${uid}`) === true
  if (!isListed) writeRoots(conf, Buffer.from(`${before ?? `${head}\n`}uid ${uid}\n`), 0o644)
  try {
    const ran = spawnSync(shim, [verb], { uid, gid: uid, cwd: '/', env: {}, input, timeout: helperMs })
    if (ran.status === 0) return
    const says = ran.error?.message ?? ran.stderr.toString().trim()
    throw new LocaldError('SHIM_FAILED', `\`${shim} ${verb}\` failed for user ${uid}: ${says}`, { hint })
  } finally {
    if (!isListed) restore(conf, before)
  }
}

function restore(path: string, text: string | undefined): void {
  if (text === undefined) rmSync(path, { force: true })
  else writeRoots(path, Buffer.from(text), 0o644)
}
