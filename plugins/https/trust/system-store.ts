import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../../kernel/errors.ts'
import { canAccess } from '../../lib/files.ts'
import type { Privileges } from '../../privileges/provides.ts'
import type { Root } from '../ca/authority.ts'
import { findTool, type StoreMachine } from './machine.ts'
import { type Changed, nameOf, type Store, type StoreState } from './store.ts'

/** How a family of distributions stores roots that its administrator adds. */
interface Family {
  readonly title: string
  /** Anchors are stored here … */
  readonly folder: string
  readonly suffix: '.crt' | '.pem'
  /** … this program turns them into … */
  readonly update: readonly [program: string, ...args: string[]]
  /** … the file that programs read. */
  readonly bundles: readonly string[]
  /** Whether the helper can change what programs read without Java's store, which is made of the anchors. */
  readonly canUseHelper: boolean
}

const families: readonly Family[] = [
  {
    title: 'Debian, Ubuntu',
    folder: '/usr/local/share/ca-certificates',
    suffix: '.crt',
    update: ['update-ca-certificates'],
    bundles: ['/etc/ssl/certs/ca-certificates.crt'],
    canUseHelper: true,
  },
  {
    title: 'Fedora, RHEL',
    folder: '/etc/pki/ca-trust/source/anchors',
    suffix: '.pem',
    update: ['update-ca-trust', 'extract'],
    bundles: ['/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', '/etc/pki/tls/certs/ca-bundle.crt'],
    canUseHelper: false,
  },
  {
    title: 'Arch',
    folder: '/etc/ca-certificates/trust-source/anchors',
    suffix: '.crt',
    update: ['update-ca-trust'],
    bundles: ['/etc/ca-certificates/extracted/tls-ca-bundle.pem', '/etc/ssl/certs/ca-certificates.crt'],
    canUseHelper: false,
  },
  {
    title: 'openSUSE',
    folder: '/etc/pki/trust/anchors',
    suffix: '.pem',
    update: ['update-ca-certificates'],
    bundles: ['/var/lib/ca-certificates/ca-bundle.pem', '/etc/ssl/ca-bundle.pem'],
    canUseHelper: false,
  },
]

/** Java applies no name constraints to a root that it trusts. */
const java = 'Java programs would trust the CA for any site'
const missing = 'only the privileged helper can change it without Java’s store'

/** What the privileged helper does for a store. PEM. */
export type Helper = Pick<Privileges, 'trust' | 'untrust'>

/** Returns the system's store of a Linux distribution: identified by its folders, since derivatives have many names. */
export async function linuxStore(machine: StoreMachine, helper: Helper | undefined): Promise<Store> {
  for (const family of families) {
    const [update] = family.update
    const isHere =
      (await findTool(machine, update)) !== undefined && (await canAccess(join(machine.root, family.folder)))
    if (isHere) return new AnchorStore(machine, family, helper)
  }
  return unusableStore(
    'unsupported trust store layout',
    'Install `ca-certificates`, or add the file to its store by hand.',
  )
}

/** Returns a store that reports why locald cannot change it. */
function unusableStore(reason: string, hint: string): Store {
  const change: Changed = { done: false, reason, todo: hint }
  return {
    kind: 'system',
    title: 'the system’s store',
    state: async () => ({ is: 'unusable', reason, hint }),
    add: async () => change,
    remove: async () => change,
  }
}

/** Changed by the helper, or by the user: an anchor that locald itself adds would also get into Java's store. */
class AnchorStore implements Store {
  readonly kind = 'system'
  readonly title: string
  readonly #machine: StoreMachine
  readonly #family: Family
  readonly #helper: Helper | undefined

  constructor(machine: StoreMachine, family: Family, helper: Helper | undefined) {
    this.title = `the system’s store (${family.title})`
    this.#machine = machine
    this.#family = family
    this.#helper = helper
  }

  /** Checks the bundle: programs ignore an anchor alone. */
  async state(root: Root): Promise<StoreState> {
    const body = bodyOf(root.certificate.toString())
    for (const bundle of this.#family.bundles) {
      const text = await readFile(join(this.#machine.root, bundle), 'utf8').catch(() => undefined)
      if (text !== undefined) return { is: bodyOf(text).includes(body) ? 'trusted' : 'untrusted' }
    }
    return { is: 'untrusted' }
  }

  async add(root: Root): Promise<Changed> {
    const { canUseHelper, update } = this.#family
    const byHand = `sudo install -m 0644 ${quoteForShell(root.file)} ${this.#anchor(root)} && sudo ${update.join(' ')}`
    if (!canUseHelper) return { done: false, reason: `${java}, so only you can add it`, todo: byHand }
    if (this.#helper === undefined)
      return { done: false, reason: missing, todo: 'sudo locald admin setup && locald trust' }
    const change = await callHelper(this.#helper, 'trust', root, byHand)
    return change.done ? change : { ...change, reason: `${change.reason}. If you add it by hand, ${java}` }
  }

  async remove(root: Root): Promise<Changed> {
    const anchor = this.#anchor(root)
    const isThere = async (): Promise<boolean> => (await canAccess(anchor)) || (await this.state(root)).is === 'trusted'
    if (!(await isThere())) return { done: true }
    const links = this.#family.canUseHelper ? ` /etc/ssl/certs/${nameOf(root)}.pem` : ''
    const rehash = this.#family.canUseHelper ? ' && sudo openssl rehash /etc/ssl/certs' : ''
    const todo = `sudo rm -f ${anchor}${links} && sudo ${this.#family.update.join(' ')}${rehash}`
    const change = await callHelper(this.#helper, 'untrust', root, todo)
    // The helper does not remove what the user added by hand.
    return change.done && (await isThere()) ? { done: false, reason: 'added by hand', todo } : change
  }

  #anchor(root: Root): string {
    return join(this.#machine.root, this.#family.folder, `${nameOf(root)}${this.#family.suffix}`)
  }
}

async function callHelper(
  helper: Helper | undefined,
  act: 'trust' | 'untrust',
  root: Root,
  todo: string,
): Promise<Changed> {
  if (helper === undefined) return { done: false, reason: 'only root may change it', todo }
  try {
    await helper[act](root.certificate.toString())
    return { done: true }
  } catch (error) {
    return { done: false, reason: messageOf(error), todo }
  }
}

function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '')
}

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

/** Quotes a path for a command that the user pastes into a shell. */
export function quoteForShell(path: string): string {
  return /^[\w/.@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
