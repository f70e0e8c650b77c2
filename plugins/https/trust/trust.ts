import { join } from 'node:path'
import type { CheckResult, CommandResult, TrustOutcome, TrustStep } from '../../../kernel/contract/plugin.ts'
import { findKeyProblem, forgetRoot, readRoot, retiredRoots } from '../ca/authority.ts'
import { KeychainStore } from './keychain-store.ts'
import type { StoreMachine } from './machine.ts'
import { nssStores } from './nss-store.ts'
import { Report } from './report.ts'
import type { Store } from './store.ts'
import { type Helper, linuxStore } from './system-store.ts'

/** A requested change. */
export interface TrustRequest {
  /** On macOS, for all users. On Linux the system's store is that of all users anyway. */
  readonly system?: boolean
  /** The outcomes of the previous answer's steps; undefined before there were any. */
  readonly outcomes?: readonly TrustOutcome[] | undefined
}

/** Adds the CA to stores and removes it, and checks them for `doctor`. */
export class Trust {
  readonly #machine: StoreMachine
  readonly #folder: string
  readonly #helper: () => Helper | undefined
  #search: Promise<readonly Store[]> | undefined

  /**
   * @param folder the CA's, absolute
   * @param helper returns the privileged helper if it is installed
   */
  constructor(machine: StoreMachine, folder: string, helper: () => Helper | undefined = () => undefined) {
    this.#machine = machine
    this.#folder = folder
    this.#helper = helper
  }

  /** Adds the root to every store that lacks it; exit code 1 when the user has to finish it by hand. */
  async trust(request: TrustRequest = {}): Promise<CommandResult> {
    const root = readRoot(this.#folder)
    if (root === undefined) return reportNoAuthority()
    const report = new Report()
    for (const store of await this.#storesToAdd(request)) {
      const state = await store.state(root)
      if (state.is === 'trusted')
        report.add(store, { done: true }, state.note === undefined ? 'trusts it' : `trusts it: ${state.note}`)
      else report.add(store, await store.add(root), 'trusts it')
    }
    await this.#removeRetired(request, report)
    return report.result(request.outcomes, root, [`The CA’s file is ${root.file}`], restartAdvice(request))
  }

  /** Removes the root, and those it replaced, from every store. */
  async untrust(request: TrustRequest = {}): Promise<CommandResult> {
    const root = readRoot(this.#folder)
    if (root === undefined && retiredRoots(this.#folder).length === 0) return reportNoAuthority()
    const report = new Report()
    if (root !== undefined) {
      for (const store of await this.#storesToClear(request))
        report.add(store, await store.remove(root), 'does not trust it')
    }
    await this.#removeRetired(request, report)
    return report.result(request.outcomes, root)
  }

  /** Removes replaced roots from all stores, and forgets those that are in none: each is removed once. */
  async #removeRetired(request: TrustRequest, report: Report): Promise<void> {
    const stores = await this.#storesToClear(request)
    for (const old of retiredRoots(this.#folder)) {
      let isRemoved = true
      for (const store of stores) {
        const change = await store.remove(old)
        isRemoved &&= change.done === true
        if (change.done !== true) report.add(store, change, '', old)
      }
      if (isRemoved) forgetRoot(old)
    }
  }

  /** Checks the CA's files. */
  async checkFiles(): Promise<CheckResult> {
    const root = readRoot(this.#folder)
    if (root === undefined) return { status: 'skip', severity: 'important', summary: notYet }
    const problem = findKeyProblem(this.#folder)
    if (problem !== undefined) {
      const fix = `Run \`chmod 600 ${join(this.#folder, 'root.key')}\`, or \`locald server restart\` for a new CA.`
      return { status: 'fail', severity: 'important', summary: problem, fix }
    }
    const { validTo, fingerprint256 } = root.certificate
    const summary = `${root.file}, until ${new Date(validTo).toISOString().slice(0, 10)}, SHA-256 ${fingerprint256}`
    return { status: 'pass', severity: 'important', summary }
  }

  /** Checks whether the stores of one kind trust the root. */
  async checkStores(kind: Store['kind']): Promise<CheckResult> {
    const severity = 'optional'
    const root = readRoot(this.#folder)
    if (root === undefined) return { status: 'skip', severity, summary: notYet }
    const stores = (await this.#storesToAdd({})).filter(store => store.kind === kind)
    if (stores.length === 0) return { status: 'skip', severity, summary: this.#explainNone(kind) }
    const trusted: string[] = []
    for (const store of stores) {
      const state = await store.state(root)
      if (state.is === 'unusable') {
        return { status: 'warn', severity, summary: `${store.title}: ${state.reason}`, fix: state.hint }
      }
      const note = state.note === undefined ? '' : ` (${state.note})`
      if (state.is === 'untrusted') {
        const summary = `${store.title} does not trust locald’s CA${note}`
        return { status: 'warn', severity, summary, fix: 'Run `locald trust`.' }
      }
      trusted.push(`${store.title}${note}`)
    }
    return { status: 'pass', severity, summary: `${trusted.join(', ')}: trusted` }
  }

  #explainNone(kind: Store['kind']): string {
    // https://support.mozilla.org/kb/setting-certificate-authorities-firefox
    if (this.#machine.os === 'darwin' && kind === 'firefox')
      return 'Firefox 120 and later trusts what the keychain trusts; an older one needs `brew install nss`'
    if (this.#machine.os === 'darwin' && kind === 'chromium')
      return 'Chromium reads the keychain; where it warns after a restart, run `locald trust --system`'
    return 'no such browser was used here'
  }

  async #storesToAdd({ system, outcomes }: TrustRequest): Promise<readonly Store[]> {
    return [...this.#keychains(outcomes, system === true ? 'admin' : 'user'), ...(await this.#others())]
  }

  async #storesToClear({ outcomes }: TrustRequest): Promise<readonly Store[]> {
    return [...this.#keychains(outcomes, 'user', 'admin'), ...(await this.#others())]
  }

  #keychains(outcomes: TrustRequest['outcomes'], ...domains: readonly TrustStep['domain'][]): readonly Store[] {
    if (this.#machine.os !== 'darwin') return []
    const canChange = (domain: string): boolean => domain === 'user' || this.#helper() !== undefined
    return domains.map(domain => new KeychainStore(this.#machine, domain, outcomes ?? [], canChange(domain)))
  }

  /** Finds the other stores; concurrent callers share one search. */
  #others(): Promise<readonly Store[]> {
    this.#search ??= this.#find().finally(() => {
      this.#search = undefined
    })
    return this.#search
  }

  async #find(): Promise<readonly Store[]> {
    const browsers = await nssStores(this.#machine)
    return this.#machine.os === 'darwin' ? browsers : [await linuxStore(this.#machine, this.#helper()), ...browsers]
  }
}

const notYet = 'the daemon creates the CA when it first starts with HTTPS'

/** Returns what to do after macOS trusts the CA: a running browser may keep what it has read. */
function restartAdvice({ system, outcomes = [] }: TrustRequest): readonly string[] {
  if (!outcomes.some(({ act, status }) => act === 'trust' && status === 0)) return []
  return [`Restart browsers that are open.${system === true ? '' : ' If one still warns: `locald trust --system`.'}`]
}

function reportNoAuthority(): CommandResult {
  return { exitCode: 1, text: `There is no CA: ${notYet}.\n`, data: { caFile: null, stores: [] } }
}
