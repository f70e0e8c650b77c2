import { join } from 'node:path'
import type { TrustOutcome, TrustStep } from '../../../kernel/contract/plugin.ts'
import type { Root } from '../ca/authority.ts'
import { runTool, type StoreMachine } from './machine.ts'
import { failureOf, meaningOf } from './os-status.ts'
import type { Change, Changed, Store, StoreState } from './store.ts'

type Domain = TrustStep['domain']

/** The trust setting of a root in one domain, as `locald-keychain state` prints it (shim/README.md). */
interface TrustSetting {
  readonly is: 'trusted' | 'none' | 'denied' | 'other' | 'unknown'
  /** Apple's OSStatus. */
  readonly status: number
}

type TrustSettings = Readonly<Record<Domain, TrustSetting>>

const titles: Readonly<Record<Domain, string>> = {
  user: 'your login keychain',
  admin: 'the system keychain (all users)',
}
const missing = {
  reason: 'locald-keychain is missing or cannot be run',
  hint: 'Install locald again, with its optional packages.',
}
const noProgram: Changed = { done: false, reason: missing.reason, todo: missing.hint }
const notApplied: Changed = {
  done: false,
  reason: 'macOS applied the change, but does not trust the CA',
  todo: 'Look for a device profile that forbids trust settings in System Settings > General > Device Management.',
}

/** The trust settings of macOS in one domain: read here, changed by the CLI, because macOS prompts its user. */
export class KeychainStore implements Store {
  readonly kind = 'system'
  readonly title: string
  readonly #machine: StoreMachine
  readonly #domain: Domain
  readonly #outcomes: readonly TrustOutcome[]
  readonly #canChange: boolean

  /** @param canChange whether the program that changes it is installed */
  constructor(machine: StoreMachine, domain: Domain, outcomes: readonly TrustOutcome[], canChange: boolean) {
    this.title = titles[domain]
    this.#machine = machine
    this.#domain = domain
    this.#outcomes = outcomes
    this.#canChange = canChange
  }

  async state(root: Root): Promise<StoreState> {
    const settings = await this.#read(root)
    if (settings === undefined) return { is: 'unusable', ...missing }
    const { is, status } = settings[this.#domain]
    if (is === 'trusted') return { is }
    if (is === 'unknown') return { is: 'unusable', ...meaningOf(status, { act: 'trust', domain: this.#domain }) }
    if (is === 'denied') return { is: 'untrusted', note: 'set to Never Trust' }
    // The settings of all users apply where a user's own are missing (SecTrustSettings.h).
    if (this.#domain === 'user' && settings.admin.is === 'trusted') return { is: 'trusted', note: titles.admin }
    return { is: 'untrusted' }
  }

  async add(root: Root): Promise<Change> {
    const step: TrustStep = { act: 'trust', domain: this.#domain, certificate: root.certificate.toString() }
    const settings = await this.#read(root)
    if (settings === undefined) return noProgram
    const change = this.#changeBy(step)
    // Where the daemon cannot read the settings, the CLI's result is trusted.
    const isConfirmed = change.done !== true || settings[this.#domain].is === 'unknown'
    return isConfirmed ? change : notApplied
  }

  async remove(root: Root): Promise<Change> {
    const settings = await this.#read(root)
    if (settings === undefined) return noProgram
    if (settings[this.#domain].is === 'none') return { done: true }
    return this.#changeBy({ act: 'untrust', domain: this.#domain, certificate: root.certificate.toString() })
  }

  #changeBy(step: TrustStep): Change {
    const { act, domain, certificate } = step
    const same = (it: TrustOutcome): boolean => it.act === act && it.domain === domain && it.certificate === certificate
    const outcome = this.#outcomes.find(same)
    if (outcome !== undefined) return outcomeToChange(outcome)
    return this.#canChange ? { done: 'not yet', step } : needsHelper(act)
  }

  async #read(root: Root): Promise<TrustSettings | undefined> {
    const program = join(this.#machine.native, 'locald-keychain')
    const { ok, text } = await runTool(program, ['state'], root.certificate.toString())
    const settings: unknown = ok ? parseJson(text) : undefined
    return isTrustSettings(settings) ? settings : undefined
  }
}

function outcomeToChange(outcome: TrustOutcome): Changed {
  if (outcome.status === 0) return { done: true }
  const { reason, hint } = failureOf(outcome)
  return { done: false, reason, todo: hint }
}

function needsHelper(act: TrustStep['act']): Changed {
  const command = act === 'trust' ? 'locald trust --system' : 'locald untrust'
  return {
    done: false,
    reason: 'only locald-shim changes it',
    todo: `Run \`sudo locald admin setup\`, then \`${command}\`.`,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isTrustSettings(value: unknown): value is TrustSettings {
  return isRecord(value) && isTrustSetting(value['user']) && isTrustSetting(value['admin'])
}

function isTrustSetting(value: unknown): value is TrustSetting {
  return isRecord(value) && typeof value['is'] === 'string' && typeof value['status'] === 'number'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
