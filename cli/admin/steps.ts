import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import { confName, type HelperPaths } from '../../shim/paths.ts'
import { digestOf, isRootOnly, sha256, writeRootFile } from './root-files.ts'
import { systemRoots } from './system-roots.ts'

/** The helper exits automatically after 15 s, and after 120 s where it runs a program of the distribution. ms */
const helperMs = 130_000
/** For programs that answer at once, ms. */
const toolMs = 20_000
/** A step: its text, and how to run it. */
export interface Step {
  readonly text: string
  /** Whether the others run when this one fails: its error's hint is how a person does it. */
  readonly isOptional?: true
  run(): void
}

/** What `admin setup` is to set up. */
export interface SetupRequest {
  /** The helper that came with this locald. */
  readonly source: string
  /** Who may call it. */
  readonly uid: number
  /** Only the capability to bind low ports, instead of the setuid bit. */
  readonly capabilities: boolean
}

const lockName = 'shim.lock'
const portsOnly = '# ports only'
const head = '# Who may call locald-shim; written by `locald admin setup`.'
/** The exit code of `bind` without Node's channel: all checks before it passed. */
const noChannel = 20
const system = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'] as const

/** Returns the steps that the request still needs; none when all is set up. Throws SHIM_MISSING, SHIM_FAILED. */
export function planSetup(paths: HelperPaths, request: SetupRequest): readonly Step[] {
  const bytes = readSource(request.source)
  const shim = paths.shims.find(isRootOnly)
  if (shim === undefined) {
    throw new LocaldError(
      'SHIM_FAILED',
      `users other than root may write to a folder of ${paths.shims.join(' and of ')}`,
      {
        hint: `Make root the owner, \`sudo chown root ${dirname(paths.shims[0] ?? '')}\`, and remove write access for others.`,
      },
    )
  }
  const steps: Step[] = []
  for (const other of paths.shims) if (other !== shim && existsSync(other)) steps.push(removalStep(other))
  if (!isInstalled(shim, bytes, request.capabilities)) {
    const how = request.capabilities ? 'with the capability to bind ports below 1024' : 'setuid root'
    steps.push({
      text: `install ${shim}, ${how} (SHA-256 ${sha256(bytes)})`,
      run: () => install(shim, bytes, request.capabilities),
    })
  }
  const conf = join(paths.conf, confName)
  const list = listWith(conf, request)
  if (readText(conf) !== list) {
    const text = `let user ${request.uid} call it (${conf})`
    steps.push({ text, run: () => writeRootFile(conf, Buffer.from(list), 0o644) })
  }
  const lock = join(paths.conf, lockName)
  if (!existsSync(lock)) steps.push({ text: `make ${lock}`, run: () => writeRootFile(lock, Buffer.alloc(0), 0o600) })
  return steps
}

/** Calls the installed helper as the user; returns its error, undefined when it works. */
export function selfTest(paths: HelperPaths, uid: number): string | undefined {
  const shim = paths.shims.find(path => existsSync(path)) ?? ''
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const ran = spawnSync(shim, ['bind', '80'], { uid, gid: uid, cwd: '/', env: {}, stdio: [...stdio], timeout: toolMs })
  if (ran.status === noChannel) return undefined
  return ran.error?.message ?? (ran.stderr.toString().trim() || `killed by ${ran.signal}`)
}

/**
 * Returns the steps that remove everything of the helper: users' blocks and certificates first, by the helper itself,
 * then the helper.
 */
export function planUninstall(paths: HelperPaths): readonly Step[] {
  const steps: Step[] = []
  const shim = paths.shims.find(path => existsSync(path))
  if (shim !== undefined) {
    const conf = join(paths.conf, confName)
    for (const uid of blockOwners(paths.hosts)) {
      const text = `remove the names of user ${uid} from ${paths.hosts}`
      steps.push({ text, run: () => callHelperAs(uid, conf, [shim, 'hosts'], 'locald-hosts 1 0\n') })
    }
    for (const { file, uid } of anchorsOf(paths)) {
      steps.push({ text: `remove ${file}`, run: () => callHelperAs(uid, conf, [shim, 'untrust'], readFileSync(file)) })
    }
    for (const { name, pem, byHand } of systemRoots(paths.keychain)) {
      steps.push({
        text: `remove ${name} from the system keychain: macOS asks for an administrator’s name and password`,
        isOptional: true,
        run: () => callHelperAs(0, conf, [shim, 'untrust'], pem, `Run \`${byHand}\` in Terminal at the Mac’s screen.`),
      })
    }
  }
  for (const path of paths.shims) if (existsSync(path)) steps.push(removalStep(path))
  if (existsSync(paths.conf)) {
    steps.push({ text: `remove ${paths.conf}`, run: () => rmSync(paths.conf, { recursive: true }) })
  }
  for (const slice of paths.slices) {
    // In use as long as a daemon or a service is in it.
    const isEmpty = /^populated 0$/m.test(readText(join(slice, 'cgroup.events')) ?? '')
    if (isEmpty) steps.push({ text: `remove ${slice}`, run: () => removeCgroup(slice) })
  }
  return steps
}

function removeCgroup(folder: string): void {
  const entries = readdirSync(folder, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) removeCgroup(join(folder, entry.name))
  rmdirSync(folder)
}

function readSource(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new LocaldError('SHIM_MISSING', `privileged helper not found for this machine: ${path}`, {
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
  writeRootFile(path, bytes, capabilities ? 0o755 : 0o4755, draft => {
    if (!capabilities) return
    const ran = spawnSync(program('setcap'), ['cap_net_bind_service=ep', draft], { encoding: 'utf8', timeout: toolMs })
    if (ran.status === 0) return
    throw new LocaldError('SHIM_FAILED', `setcap failed: ${ran.error?.message ?? ran.stderr.trim()}`, {
      hint: 'Run `sudo locald admin setup` without --capabilities.',
    })
  })
}

/** Finds a program of the system by its absolute path: PATH is the caller's. */
function program(name: string): string {
  const path = system.map(folder => join(folder, name)).find(it => existsSync(it))
  if (path !== undefined) return path
  const hint =
    'Install it (Debian: `apt install libcap2-bin`), or run `sudo locald admin setup` without --capabilities.'
  throw new LocaldError('SHIM_FAILED', `${name} is not installed`, { hint })
}

/** Returns the list with the user added. */
function listWith(conf: string, { uid, capabilities }: SetupRequest): string {
  const before = [...(readText(conf) ?? '').matchAll(/^uid (\d{1,10})$/gm)].map(([, number]) => Number(number))
  const uids = [...new Set([...before, uid])].sort((a, b) => a - b)
  return `${[head, ...(capabilities ? [portsOnly] : []), ...uids.map(number => `uid ${number}`)].join('\n')}\n`
}

function removalStep(path: string): Step {
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

function anchorsOf(paths: HelperPaths): readonly { readonly file: string; readonly uid: number }[] {
  return paths.anchors.filter(existsSync).flatMap(folder =>
    readdirSync(folder).flatMap(name => {
      const uid = /^locald-(\d{1,10})-[0-9a-f]+\.(?:crt|pem)$/.exec(name)?.[1]
      const file = join(folder, name)
      // Links to certificates go with them.
      return uid === undefined || !lstatSync(file).isFile() ? [] : [{ file, uid: Number(uid) }]
    }),
  )
}

/** Calls the helper as a user who may not be on the list any more; restores the list afterwards, also on failure. */
function callHelperAs(
  uid: number,
  conf: string,
  [shim, verb]: readonly [string, string],
  input: string | Buffer,
  hint = 'Run `sudo locald admin uninstall` again: it skips what is done.',
): void {
  const before = readText(conf)
  const isListed = before?.split('\n').includes(`uid ${uid}`) === true
  if (!isListed) writeRootFile(conf, Buffer.from(`${before ?? `${head}\n`}uid ${uid}\n`), 0o644)
  try {
    const ran = spawnSync(shim, [verb], { uid, gid: uid, cwd: '/', env: {}, input, timeout: helperMs })
    if (ran.status === 0) return
    const output = ran.error?.message ?? ran.stderr.toString().trim()
    throw new LocaldError('SHIM_FAILED', `\`${shim} ${verb}\` failed for user ${uid}: ${output}`, { hint })
  } finally {
    if (!isListed) restore(conf, before)
  }
}

function restore(path: string, text: string | undefined): void {
  if (text === undefined) rmSync(path, { force: true })
  else writeRootFile(path, Buffer.from(text), 0o644)
}
