import { basename, dirname, join, sep } from 'node:path'
import { realPath } from '../../lib/real-path.ts'

/** The symbolic links found so far, and their targets. */
export class FileLinks {
  readonly #targets = new Map<string, string>()

  has(path: string): boolean {
    return this.#targets.has(path)
  }

  inFolder(folder: string): readonly string[] {
    return [...this.#targets.keys()].filter(link => dirname(link) === folder)
  }

  leadingTo(target: string): readonly string[] {
    return [...this.#targets].flatMap(([link, leads]) => (leads === target ? [link] : []))
  }

  /** Returns the target of a path that is a link; undefined for others. */
  async follow(path: string): Promise<string | undefined> {
    const folder = dirname(path)
    const [own, above] = await Promise.all([realPath(path), realPath(folder)]).catch(() => [])
    this.#targets.delete(path)
    if (own === undefined || above === undefined || own === join(above, basename(path))) return undefined
    this.#targets.set(path, own)
    return own
  }

  /** Whether a link leads to a folder that it is in, or that another link which is `watched` leads to already. */
  async isLoop(link: string, isWatched: (folder: string) => boolean): Promise<boolean> {
    const target = this.#targets.get(link)
    if (target === undefined) return false
    const at = await realPath(dirname(link)).catch(() => target)
    if (at === target || at.startsWith(target + sep)) return true
    return this.leadingTo(target).some(other => other !== link && isWatched(other))
  }
}
