import { shortName } from '../../config/document/document.ts'
import { type ConfigCode, Problems } from '../../config/document/problems.ts'
import type { Path } from '../../config/document/table.ts'
import type { LoadedPlan } from '../../projects/loaded-plan.ts'
import type { Node } from './graph.ts'

/** What is wrong with the names of services in other projects, with file and line in their configurations. */
export class ForeignProblems {
  readonly #problems = new Problems()
  readonly #root: string
  readonly #home: string

  /**
   * @param root the folder of the project that is started; messages name its files relative to it
   * @param home for short paths in messages
   */
  constructor(root: string, home: string) {
    this.#root = root
    this.#home = home
  }

  /** Notes what is wrong at a path of a project's configuration. */
  async add(
    loaded: LoadedPlan,
    path: Path,
    { message, hint }: { readonly message: string; readonly hint?: string },
    code: ConfigCode = 'CONFIG_INVALID',
  ): Promise<void> {
    const { file, line } = await placeOf(loaded, path)
    this.#problems.addFile(file ?? loaded.plan.path, code, {
      ...{ message, path },
      ...(hint === undefined ? {} : { hint }),
      ...(line === null ? {} : { line }),
    })
  }

  /** Notes a cycle, given as a path from a service to itself. */
  async addCycle(around: readonly Node[]): Promise<void> {
    const steps = around.map(async (node, index) => {
      const next = around[index + 1]
      const text = `${node.loaded.plan.name}:${node.service}`
      if (next === undefined) return text
      const mention = node.mentions.get(next.name)
      const path = mention?.path ?? ['services', node.service, 'depends_on', next.service]
      const { file, line } = await placeOf(node.loaded, path)
      const where =
        file === null ? '' : ` (${shortName(file, this.#root, this.#home)}${line === null ? '' : `:${line}`})`
      return `${text}${where}`
    })
    const [first, second] = around
    if (first === undefined || second === undefined) return
    await this.add(
      first.loaded,
      first.mentions.get(second.name)?.path ?? ['services', first.service, 'depends_on', second.service],
      {
        message: `dependency cycle: ${(await Promise.all(steps)).join(' → ')}`,
        hint: 'Remove one of these dependencies.',
      },
      'DEPENDENCY_CYCLE',
    )
  }

  /** Throws what was noted, if any: CONFIG_INVALID, or DEPENDENCY_CYCLE where all problems are cycles. */
  async throwIfAny(): Promise<void> {
    if (!this.#problems.isEmpty) throw await this.#problems.error(this.#root, this.#home)
  }
}

/** Finds a path of a configuration: a dependency is a key of its table, or an entry of its array. */
async function placeOf({ locate }: LoadedPlan, path: Path) {
  const found = await locate(path)
  return found.file === null ? await locate(path.slice(0, -1)) : found
}
