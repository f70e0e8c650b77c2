import { join } from 'node:path'
import type { CheckResult, CommandResult } from '../../kernel/plugin.ts'
import { forget, keyComplaint, type Root, readRoot, retiredRoots } from './authority.ts'
import { nssStores } from './nss-store.ts'
import type { Machine } from './programs.ts'
import type { Change, Store } from './store.ts'
import { HelpedStore, type Helper, linuxStore, unusableStore } from './system-store.ts'

/** The stores a CA is put into and taken out of, and what `doctor` says of them. */
export class Trust {
  readonly #machine: Machine
  readonly #folder: string
  readonly #helper: () => Helper | undefined
  #looking: Promise<readonly Store[]> | undefined

  /**
   * @param folder the CA's, absolute
   * @param helper the privileged helper, where it is installed
   */
  constructor(machine: Machine, folder: string, helper: () => Helper | undefined = () => undefined) {
    this.#machine = machine
    this.#folder = folder
    this.#helper = helper
  }

  /** `locald trust`: puts the root into every store that lacks it; exit code 1 when something is left to do by hand. */
  async trust(): Promise<CommandResult> {
    const root = readRoot(this.#folder)
    if (root === undefined) return absent()
    const stores = await this.#stores()
    const lines = [`The CA’s file is ${root.file}`]
    const report: StoreReport[] = []
    for (const store of stores) {
      for (const old of retiredRoots(this.#folder)) await store.remove(old)
      const change = (await store.state(root)).is === 'trusted' ? { done: true as const } : await store.add(root)
      lines.push(...told(store, change, 'trusts it'))
      report.push(reported(store, change))
    }
    return { exitCode: exitCode(report), text: `${lines.join('\n')}\n`, data: { caFile: root.file, stores: report } }
  }

  /** `locald untrust`: takes the root, and those it replaced, out of every store. */
  async untrust(): Promise<CommandResult> {
    const root = readRoot(this.#folder)
    const retired = retiredRoots(this.#folder)
    const roots = root === undefined ? retired : [root, ...retired]
    if (roots.length === 0) return absent()
    const lines: string[] = []
    const report: StoreReport[] = []
    for (const store of await this.#stores()) {
      const changes = await Promise.all(roots.map(it => removed(store, it)))
      const change = changes.find(it => !it.done) ?? { done: true as const }
      lines.push(...told(store, change, 'does not trust it'))
      report.push(reported(store, change))
    }
    if (report.every(({ done }) => done)) for (const old of retired) forget(old)
    const data = { caFile: root?.file ?? null, stores: report }
    return { exitCode: exitCode(report), text: `${lines.join('\n')}\n`, data }
  }

  /** Whether the CA's files are as they must be. */
  async checkFiles(): Promise<CheckResult> {
    const root = readRoot(this.#folder)
    if (root === undefined) return { status: 'skip', severity: 'important', summary: notYet }
    const complaint = keyComplaint(this.#folder)
    if (complaint !== undefined) {
      const fix = `Run \`chmod 600 ${join(this.#folder, 'root.key')}\`, or \`locald server restart\` for a new CA.`
      return { status: 'fail', severity: 'important', summary: complaint, fix }
    }
    return { status: 'pass', severity: 'important', summary: `${root.file}, until ${root.certificate.validTo}` }
  }

  /** Whether the stores of one kind trust the root. */
  async checkStores(kind: Store['kind']): Promise<CheckResult> {
    const severity = 'optional'
    const root = readRoot(this.#folder)
    if (root === undefined) return { status: 'skip', severity, summary: notYet }
    const stores = (await this.#stores()).filter(store => store.kind === kind)
    if (stores.length === 0) return { status: 'skip', severity, summary: 'no such browser was used here' }
    for (const store of stores) {
      const state = await store.state(root)
      if (state.is === 'unusable') {
        return { status: 'warn', severity, summary: `${store.title}: ${state.reason}`, fix: state.hint }
      }
      if (state.is === 'untrusted') {
        const summary = `${store.title} does not trust locald’s CA`
        return { status: 'warn', severity, summary, fix: 'Run `locald trust`.' }
      }
    }
    return { status: 'pass', severity, summary: `${stores.map(store => store.title).join(', ')}: trusted` }
  }

  /** Looked for once for all who ask at once. */
  #stores(): Promise<readonly Store[]> {
    this.#looking ??= this.#find().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #find(): Promise<readonly Store[]> {
    return [await this.#system(), ...(await nssStores(this.#machine))]
  }

  async #system(): Promise<Store> {
    const helper = this.#helper()
    if (this.#machine.os === 'linux') return linuxStore(this.#machine, helper)
    if (helper !== undefined) return new HelpedStore('the system’s keychain', helper)
    const hint = 'Open the CA’s file in Keychain Access and set it to Always Trust, or run `sudo locald admin setup`.'
    return unusableStore('the keychain is changed by locald-shim, which is not there', hint)
  }
}

interface StoreReport {
  readonly store: string
  readonly kind: Store['kind']
  readonly done: boolean
  readonly reason: string | null
  /** The command to run by hand. */
  readonly todo: string | null
}

const notYet = 'the CA is made when the daemon first starts with HTTPS'

function absent(): CommandResult {
  return { exitCode: 1, text: `There is no CA: ${notYet}.\n`, data: { caFile: null, stores: [] } }
}

async function removed(store: Store, root: Root): Promise<Change> {
  const state = await store.state(root)
  return state.is === 'unusable' ? { done: false, reason: state.reason, todo: state.hint } : store.remove(root)
}

function told(store: Store, change: Change, done: string): readonly string[] {
  if (change.done) return [`✓ ${store.title} ${done}`]
  return [`! ${store.title}: ${change.reason}`, `  ${change.todo}`]
}

function reported(store: Store, change: Change): StoreReport {
  const { title: name, kind } = store
  if (change.done) return { store: name, kind, done: true, reason: null, todo: null }
  return { store: name, kind, done: false, reason: change.reason, todo: change.todo }
}

function exitCode(report: readonly StoreReport[]): number {
  return report.every(({ done }) => done) ? 0 : 1
}
