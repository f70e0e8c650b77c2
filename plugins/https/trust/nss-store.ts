import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { canAccess } from '../../lib/files.ts'
import type { Root } from '../ca/authority.ts'
import { findTool, runTool, type StoreMachine } from './machine.ts'
import { type Change, nameOf, type Store, type StoreState } from './store.ts'
import { lastLine, quoteForShell } from './system-store.ts'

const chromium = ['.pki/nssdb', 'snap/chromium/current/.pki/nssdb', '.var/app/org.chromium.Chromium/.pki/nssdb']
const chromiumUsed = ['.config/chromium', '.config/google-chrome', '.config/microsoft-edge', '.config/BraveSoftware']
const firefox = [
  '.mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles',
]
const packages = 'Debian, Ubuntu: libnss3-tools; Fedora: nss-tools; Arch: nss; openSUSE: mozilla-nss-tools'

/**
 * Returns the databases of the user's browsers. Creates Chromium's where the browser was used before and has none. On
 * macOS none is needed: since version 120 Firefox trusts what the keychain trusts, so its own is changed only if
 * certutil is installed (`brew install nss`).
 */
export async function nssStores(machine: StoreMachine): Promise<readonly Store[]> {
  const certutil = await findTool(machine, 'certutil')
  if (machine.os === 'darwin' && certutil === undefined) return []
  const stores: Store[] = []
  for (const folder of await chromiumFolders(machine)) stores.push(new NssStore('chromium', folder, certutil))
  for (const folder of await firefoxProfiles(machine)) stores.push(new NssStore('firefox', folder, certutil))
  return stores
}

async function chromiumFolders({ os, home }: StoreMachine): Promise<readonly string[]> {
  // On macOS Chromium reads the keychain.
  if (os !== 'linux') return []
  const [main, ...others] = chromium.map(folder => join(home, folder))
  const used = await Promise.all([...chromium, ...chromiumUsed].map(folder => canAccess(join(home, folder))))
  const found: string[] = main !== undefined && used.includes(true) ? [main] : []
  for (const folder of others) if (await canAccess(join(folder, 'cert9.db'))) found.push(folder)
  return found
}

async function firefoxProfiles({ home }: StoreMachine): Promise<readonly string[]> {
  const found: string[] = []
  for (const folder of firefox.map(it => join(home, it))) {
    for (const name of await readdir(folder).catch(() => [])) {
      const profile = join(folder, name)
      if (await canAccess(join(profile, 'cert9.db'))) found.push(profile)
    }
  }
  return found
}

/** One database of NSS, accessed by NSS's own tool, as the format is internal. */
class NssStore implements Store {
  readonly kind: 'chromium' | 'firefox'
  readonly title: string
  readonly #folder: string
  readonly #certutil: string | undefined

  constructor(kind: 'chromium' | 'firefox', folder: string, certutil: string | undefined) {
    this.kind = kind
    this.title = `${kind === 'chromium' ? 'Chromium' : 'Firefox'}’s store in ${folder}`
    this.#folder = folder
    this.#certutil = certutil
  }

  async state(root: Root): Promise<StoreState> {
    if (this.#certutil === undefined) {
      const hint = `Install certutil (${packages}) and run \`locald trust\` again.`
      return { is: 'unusable', reason: 'certutil is not installed', hint }
    }
    if (!(await canAccess(join(this.#folder, 'cert9.db')))) return { is: 'untrusted' }
    const { ok, text } = await runTool(this.#certutil, ['-L', '-d', this.#database, '-n', nameOf(root), '-a'])
    if (!ok || !strip(text).includes(strip(root.certificate.toString()))) return { is: 'untrusted' }
    const list = await runTool(this.#certutil, ['-L', '-d', this.#database])
    const flags = list.text.split('\n').find(line => line.startsWith(`${nameOf(root)} `)) ?? ''
    return { is: /\sC\w*,/.test(flags) ? 'trusted' : 'untrusted' }
  }

  async add(root: Root): Promise<Change> {
    const todo = `certutil -A -d ${quoteForShell(this.#database)} -t C,, -n ${nameOf(root)} -i ${quoteForShell(root.file)}`
    if (this.#certutil === undefined) return this.#without(todo)
    if (!(await canAccess(join(this.#folder, 'cert9.db')))) {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      const made = await runTool(this.#certutil, ['-N', '-d', this.#database, '--empty-password'])
      if (!made.ok) return { done: false, reason: lastLine(made.text), todo }
    }
    const args = ['-A', '-d', this.#database, '-t', 'C,,', '-n', nameOf(root), '-i', root.file]
    const { ok, text } = await runTool(this.#certutil, args)
    return ok ? { done: true } : { done: false, reason: lastLine(text), todo }
  }

  async remove(root: Root): Promise<Change> {
    const todo = `certutil -D -d ${quoteForShell(this.#database)} -n ${nameOf(root)}`
    if (this.#certutil === undefined) return this.#without(todo)
    const there = await runTool(this.#certutil, ['-L', '-d', this.#database, '-n', nameOf(root)])
    if (!there.ok) return { done: true }
    const { ok, text } = await runTool(this.#certutil, ['-D', '-d', this.#database, '-n', nameOf(root)])
    return ok ? { done: true } : { done: false, reason: lastLine(text), todo }
  }

  get #database(): string {
    return `sql:${this.#folder}`
  }

  #without(todo: string): Change {
    return { done: false, reason: `certutil is not installed (${packages})`, todo }
  }
}

function strip(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '')
}
