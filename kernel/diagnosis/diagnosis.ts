import { join } from 'node:path'
import type { Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { Events } from '../events.ts'
import { logTail } from '../logs/tail.ts'
import type { Container } from '../plugins/container.ts'
import type { Change } from '../protocol.ts'
import type { Ports } from '../registry/ports.ts'
import type { Service } from '../services/service.ts'
import { type Evidence, readEvidence } from './evidence.ts'
import type { Case, Fact } from './fact.ts'
import { configurationFacts } from './facts/configuration.ts'
import { dataFacts } from './facts/data.ts'
import { dependencyFacts } from './facts/dependencies.ts'
import { environmentFacts } from './facts/environment.ts'
import { fileFacts } from './facts/files.ts'
import { packageFacts } from './facts/packages.ts'
import { pluginNotes } from './facts/plugin-notes.ts'
import { portFacts } from './facts/ports.ts'
import { toolFacts } from './facts/tools.ts'
import { readChanges } from './git/changes.ts'
import { type DiagnosedProject, type Subject, subjectOf } from './subject.ts'
import { ToolVersions } from './tools.ts'
import { type WellRecord, WellRecords } from './well-records.ts'
import { WellWatch } from './well-watch.ts'

/** What a diagnosis works with. */
export interface DiagnosisInput {
  readonly events: Events
  readonly projects: () => readonly DiagnosedProject[]
  readonly ports: Pick<Ports, 'holder'>
  readonly container: Pick<Container, 'optional'>
  readonly dataFolder: string
  readonly log: Log
}

/** What may have caused a service's failure. */
export interface Diagnosis {
  /** Most likely first. */
  readonly changes: readonly Change[]
  /** When it was well last, ms since the epoch; undefined: never, as far as is known. */
  readonly wellMs: number | undefined
}

/** The output is searched in this many last lines of a run. */
const examinedLines = 300
/** Facts that are kept. */
const mostFacts = 8
/** Callers that come together share one diagnosis: ms. */
const memoMs = 1000

/** The order of facts that are equally likely. */
const examinations = [
  portFacts,
  configurationFacts,
  packageFacts,
  environmentFacts,
  fileFacts,
  dataFacts,
  dependencyFacts,
  pluginNotes,
  toolFacts,
] as const

/** Remembers services as they were when they were well, and finds what has changed since when one is not. */
export class Diagnoses {
  readonly #input: DiagnosisInput
  readonly #records: WellRecords
  readonly #tools = new ToolVersions()
  readonly #memo = new WeakMap<Service, { readonly untilMs: number; readonly result: Promise<Diagnosis> }>()

  constructor(input: DiagnosisInput) {
    this.#input = input
    const { events, projects, dataFolder, log } = input
    this.#records = new WellRecords(join(dataFolder, 'well'), log)
    this.#records.prune()
    new WellWatch({ events, projects, records: this.#records, tools: this.#tools, log })
  }

  /** Finds what may have caused the state of a service that is not well. Never rejects. */
  of(project: DiagnosedProject, service: Service): Promise<Diagnosis> {
    const now = performance.now()
    const last = this.#memo.get(service)
    if (last !== undefined && now < last.untilMs) return last.result
    const result = this.#examine(project, service)
    this.#memo.set(service, { untilMs: Number.POSITIVE_INFINITY, result })
    void result.then(() => this.#memo.set(service, { untilMs: performance.now() + memoMs, result }))
    return result
  }

  async #examine(project: DiagnosedProject, service: Service): Promise<Diagnosis> {
    const subject = subjectOf(project, service)
    if (subject === undefined) return { changes: [], wellMs: undefined }
    const before = this.#records.read(subject.root, subject.plan.name)
    const failed = (error: unknown) => {
      this.#input.log.warn(`could not examine ${service.ref.key}: ${messageOf(error)}`)
      return []
    }
    const it = await this.#caseOf(subject, before).catch(error => void failed(error))
    if (it === undefined) return { changes: [], wellMs: before?.wellMs }
    const found = examinations.map(async examine => await examine(it))
    const facts = (await Promise.all(found.map(each => each.catch(failed)))).flat()
    return { changes: selectFacts(facts).map(toChange), wellMs: before?.wellMs }
  }

  async #caseOf(subject: Subject, before: WellRecord | undefined): Promise<Case> {
    const { projects, ports, container } = this.#input
    const { service, root } = subject
    const evidence = await evidenceOf(subject)
    const since = before === undefined ? undefined : { ms: before.startedMs, head: before.head, branch: before.branch }
    const named = evidence.files.map(({ path }) => path)
    const [git, tools] = await Promise.all([readChanges(root, since, named), this.#tools.of(subject, true)])
    return {
      ...subject,
      ...{ before, evidence, git, tools, env: service.env ?? {}, hash: this.#records.hash },
      holder: port => ports.holder(port),
      table: container.optional('processTable'),
      services: projects().flatMap(project => [...project.services.values()]),
    }
  }
}

/** Reads the output of the last run; of all of its runs while the present one has printed nothing. */
async function evidenceOf({ service, root, dir }: Subject): Promise<Evidence> {
  const { log, lastStartMs, clock, state } = service
  const last = await logTail(log.file, lastStartMs, examinedLines)
  const lines = last.length > 0 ? last : await logTail(log.file, clock.begunMs, examinedLines)
  // A refused probe of its own port says only that it does not listen.
  const isProbe = state.now.reason?.includes(`refused on 127.0.0.1:${state.now.port}`) === true
  return readEvidence(lines, isProbe ? null : state.now.reason, { root, dir })
}

/** Sorts facts by likelihood. Of several with one command the likeliest is kept. */
function selectFacts(facts: readonly Fact[]): readonly Fact[] {
  const sorted = [...facts].sort((a, b) => b.score - a.score)
  const isFirst = ({ command }: Fact, index: number) =>
    command === null || sorted.findIndex(other => other.command === command) === index
  return sorted.filter(isFirst).slice(0, mostFacts)
}

function toChange({ text, command, kind, atMs }: Fact): Change {
  return { text, command, kind, at: atMs === null ? null : new Date(atMs).toISOString() }
}
