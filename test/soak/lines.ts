import { setTimeout } from 'node:timers/promises'
import type { LogLine } from '../../kernel/events.ts'
import type { Running } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import type { SoakProject } from './projects.ts'

/** A follower has what was written within so long: ms. */
const behindMs = 20_000

/** Lines of printers as they are read: the next number of each. */
export class LineCheck {
  readonly #where: string
  readonly #next = new Map<string, number>()
  readonly failures: string[] = []
  lines = 0

  constructor(where: string) {
    this.#where = where
  }

  /**
   * Takes a line of a log. Others than the printers' own are Node's, of one that was started where its folder was
   * missing.
   */
  add(text: string): void {
    const [, id = '', digits] = /^(\d+-\w+) (\d+)$/.exec(text) ?? []
    if (digits === undefined && /^\d/.test(text)) this.failures.push(`${this.#where}: a torn line: ${text}`)
    if (digits === undefined) return
    const [next, number] = [this.#next.get(id) ?? 0, Number(digits)]
    this.lines++
    this.#next.set(id, number + 1)
    if (number !== next) this.failures.push(`${this.#where}: ${id}: ${number} after ${next - 1}`)
  }

  /** Printers of which fewer lines were read than were written. */
  behind(written: ReadonlyMap<string, number>): readonly string[] {
    return [...written]
      .filter(([id, count]) => (this.#next.get(id) ?? 0) < count)
      .map(([id, count]) => `${this.#where}: ${id}: ${this.#next.get(id) ?? 0} lines of at least ${count}`)
  }
}

/** `logs -f --json` of a project, for the whole soak. */
export class Follower {
  readonly #check: LineCheck
  readonly #running: Running
  #rest = ''

  constructor(box: Sandbox, project: SoakProject) {
    this.#check = new LineCheck(`${project.name}, followed`)
    this.#running = box.start(['logs', '-f', '--json', '-n', '100000000', 'term', 'pipe'], {
      cwd: project.folder,
      limitMs: 24 * 3600_000,
    })
    this.#running.child.stdout?.on('data', (text: string) => this.#take(text))
  }

  /** Resolves when it has read a line: until then its folder must stay where it is. */
  async begun(): Promise<void> {
    while (this.#check.lines === 0) await setTimeout(50)
  }

  /** Stops it when it has all lines; returns what is wrong with its lines or its exit. */
  async end(written: ReadonlyMap<string, number>): Promise<readonly string[]> {
    const { child, done } = this.#running
    for (let waited = 0; waited < behindMs && this.#check.behind(written).length > 0; waited += 100)
      await setTimeout(100)
    const wrong = [...this.#check.failures, ...this.#check.behind(written)]
    if (child.exitCode !== null) wrong.push(`a follower exited early, with ${child.exitCode}`)
    child.kill('SIGINT')
    const { stderr } = await done
    return stderr === '' ? wrong : [...wrong, `a follower said ${stderr}`]
  }

  #take(text: string): void {
    this.#running.stdout = ''
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#check.add(textOf(line))
  }
}

function textOf(line: string): string {
  const { text }: LogLine = JSON.parse(line)
  return text
}

/** All lines of a project's printers that its logs have. */
export async function readLogs(box: Sandbox, project: SoakProject): Promise<LineCheck> {
  const check = new LineCheck(`${project.name}, read`)
  for (const { text } of await box.logs(project.folder, ['-n', '100000000', 'term', 'pipe'])) check.add(text)
  return check
}
