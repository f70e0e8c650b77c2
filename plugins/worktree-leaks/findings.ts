import type { Control, Log, WorktreeService, Worktrees } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { type Address, findVariable, mentionOf } from './addresses.ts'
import { findInFiles } from './file-search.ts'
import type { Places } from './places.ts'

/** How a service uses another one: its environment has the address, it has connected, or a page of it has. */
export type Use = 'environment' | 'connection' | 'page'

/** A service that uses a service of another checkout. */
export interface Leak extends Address {
  readonly from: WorktreeService
  readonly use: Use
  /** The variable with the address, where it is known already. */
  readonly variable?: string
}

/** What findings work with. */
export interface FindingsInput {
  readonly worktrees: Pick<Worktrees, 'sourceOf'>
  readonly control: () => Pick<Control, 'warn' | 'note'>
  /** Whose notes they are. */
  readonly plugin: string
  readonly log: Log
}

interface Finding extends Leak {
  /** Empty until it was reported, and where another service's finding has said the same. */
  text: string
  origin: Origin | undefined
}

/** Where an address comes from. */
interface Origin {
  readonly variable: string | undefined
  /** `.env:12` */
  readonly place: string | undefined
}

/**
 * What was found, one finding for each pair of services. Warns of each once for each run of the service; its state has a
 * note as long as it is true.
 */
export class Findings {
  readonly #input: FindingsInput
  readonly #found = new Map<string, Finding>()
  /** One report after the other, so that the first finding of a line of a file is the one that is reported. */
  #reports: Promise<void> = Promise.resolve()

  constructor(input: FindingsInput) {
    this.#input = input
  }

  /** Adds a leak, unless it is known. */
  add(leak: Leak): void {
    const pair = `${leak.from.key} ${leak.target.key}`
    const known = this.#found.get(pair)
    if (known !== undefined && (known.use !== 'environment' || leak.use === 'environment')) return
    const finding: Finding = { ...leak, text: '', origin: undefined }
    this.#found.set(pair, finding)
    // What was silent is news.
    const isNew = known === undefined || known.text === ''
    this.#reports = this.#reports
      .then(() => this.#report(pair, finding, isNew))
      .catch(error => this.#input.log.warn(`could not report what ${leak.from.key} uses: ${messageOf(error)}`))
  }

  /** Removes the findings that are not true any more: of an earlier run, or of an address that has changed. */
  retain(places: Places): void {
    const changed = new Set<string>()
    for (const [pair, { from, target, place, variable }] of this.#found) {
      const now = places.get(from.key)
      // One that has failed keeps its findings: they may be the cause.
      const isThere = now !== undefined && (now.startedMs === null || now.startedMs === from.startedMs)
      const reached = isThere && (typeof place === 'number' ? places.atPort(now, place) : places.atHost(now, place))
      const isSet = variable === undefined || now?.env[variable] === from.env[variable]
      if (isThere && isSet && typeof reached === 'object' && reached.key === target.key) continue
      this.#found.delete(pair)
      changed.add(from.key)
    }
    for (const key of changed) this.#note(key)
  }

  async #report(pair: string, finding: Finding, isNew: boolean): Promise<void> {
    const origin = await this.#originOf(finding)
    if (this.#found.get(pair) !== finding) return
    finding.origin = origin
    if (finding.use === 'environment' && this.#isReported(finding, origin)) return
    finding.text = textOf(finding, origin)
    if (isNew) {
      const { key, name } = finding.from
      this.#input.control().warn(key, `${name} ${finding.text}`, hintOf(finding, origin))
    }
    this.#note(finding.from.key)
  }

  /** Whether another service of the project has the address from the same line, as all have what `.env` sets. */
  #isReported({ from, target }: Finding, { variable, place }: Origin): boolean {
    return [...this.#found.values()].some(
      other =>
        other.from.path === from.path &&
        other.target.key === target.key &&
        other.text !== '' &&
        place !== undefined &&
        // A file with the address was found for a service that has no such variable.
        other.origin?.variable === variable &&
        other.origin?.place === place,
    )
  }

  async #originOf({ from, place, variable: known }: Finding): Promise<Origin> {
    const variable = known ?? findVariable(from, place)
    const source =
      variable === undefined
        ? await findInFiles(from.path, mentionOf(place))
        : await this.#input.worktrees.sourceOf(from.key, variable).catch(() => undefined)
    return { variable, place: source }
  }

  #note(key: string): void {
    const texts = [...this.#found.values()].filter(({ from }) => from.key === key).map(({ text }) => text)
    const text = texts.filter(each => each !== '').join('; ')
    this.#input.control().note(key, this.#input.plugin, text === '' ? undefined : text)
  }
}

const verbs: Readonly<Record<Use, string>> = {
  environment: 'is configured to use',
  connection: 'uses',
  page: 'has a page that uses',
}

/** `uses shop:api of another worktree (127.0.0.1:20123), set by API_URL in .env:12` */
function textOf({ target, place, use }: Leak, origin: Origin): string {
  const address = typeof place === 'number' ? `127.0.0.1:${place}` : place
  const source =
    origin.variable === undefined
      ? origin.place === undefined
        ? ''
        : `, set in ${origin.place}`
      : `, set by ${origin.variable}${origin.place === undefined ? '' : ` in ${origin.place}`}`
  return `${verbs[use]} ${target.key} of another worktree (${address})${source}`
}

function hintOf({ target }: Leak, { variable }: Origin): string {
  const value = `\${services.${target.name}.url}`
  const use = variable === undefined ? `Use ${value}` : `Set ${variable} to ${value}`
  return `${use} in this worktree, or list ${target.name} in \`shared\` of [worktrees].`
}
