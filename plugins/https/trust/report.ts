import type { CommandResult, TrustStep } from '../../../kernel/contract/plugin.ts'
import type { Root } from '../ca/authority.ts'
import { commandFor } from './os-status.ts'
import type { Change, Store } from './store.ts'

/** One store, as `--json` prints it. */
interface StoreReport {
  readonly store: string
  readonly kind: Store['kind']
  readonly done: boolean
  readonly reason: string | null
  /** The command to run by hand. */
  readonly todo: string | null
}

/** Collects the result of each store for `locald trust` and `locald untrust`. */
export class Report {
  readonly #lines: string[] = []
  readonly #stores: StoreReport[] = []
  readonly #steps: TrustStep[] = []

  /**
   * Adds the result of a store.
   * @param done describes the store after success
   * @param old an earlier root, unless it is the present one
   */
  add(store: Store, change: Change, done: string, old?: Root): void {
    const title = old === undefined ? store.title : `an earlier CA (${old.id}) in ${store.title}`
    if (change.done === 'not yet') this.#steps.push(change.step)
    // The reason was reported for the present root.
    if (old !== undefined && this.#stores.some(other => other.store === store.title && !other.done)) return
    const end = change.done === 'not yet' ? unchangedOutcome(change.step) : change
    const outcome = end.done ? { done: true, reason: null, todo: null } : end
    this.#stores.push({ store: title, kind: store.kind, ...outcome })
    this.#lines.push(...(end.done ? [`✓ ${title} ${done}`] : [`! ${title}: ${end.reason}`, `  ${end.todo}`]))
  }

  /** Returns the answer, with the CLI's steps unless it has already run them. */
  result(
    outcomes: unknown,
    root: Root | undefined,
    head: readonly string[] = [],
    tail: readonly string[] = [],
  ): CommandResult {
    const data = { caFile: root?.file ?? null, stores: this.#stores }
    const text = [...head, ...this.#lines, ...tail].join('\n')
    const exitCode = this.#stores.every(({ done }) => done) ? 0 : 1
    const steps = outcomes === undefined && this.#steps.length > 0 ? { steps: this.#steps } : {}
    return { exitCode, text, data, ...steps }
  }
}

function unchangedOutcome(step: TrustStep): { readonly done: false; readonly reason: string; readonly todo: string } {
  return { done: false, reason: 'not changed', todo: `Run \`${commandFor(step)}\` in a terminal.` }
}
