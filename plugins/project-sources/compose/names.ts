import { labelOf } from '../../../kernel/contract/plugin.ts'
import { entriesOf, entryOf, type Mapping, textOf } from './node.ts'

/** A name that stands for a host in compose files, and the one by which locald's containers reach it. */
interface Host {
  readonly from: string
  readonly to: string
  /** Finds it in an address. */
  readonly pattern: RegExp
}

/** The names of services: locald's are DNS labels, those of compose need not be. */
export class Names {
  readonly #labels = new Map<string, string>()
  readonly #hosts: readonly Host[]

  constructor(model: Mapping) {
    const services = entriesOf(model.entries.get('services'))
    for (const [name] of services) this.#labels.set(name, this.#freeLabel(labelOf(name)))
    this.#hosts = services.flatMap(([name, node]) => {
      const to = this.labelOf(name)
      const others = [name, textOf(entryOf(node, 'container_name')), textOf(entryOf(node, 'hostname'))]
      return others.flatMap(from =>
        from === undefined || from === to || this.#labels.has(from) ? [] : [hostOf(from, to)],
      )
    })
    // A service's own name, where it is no label, comes first.
    const renamed = services.flatMap(([from]) =>
      this.labelOf(from) === from ? [] : [hostOf(from, this.labelOf(from))],
    )
    this.#hosts = [...renamed, ...this.#hosts]
  }

  /** Returns locald's name of a service of compose. */
  labelOf(name: string): string {
    return this.#labels.get(name) ?? labelOf(name)
  }

  has(name: string): boolean {
    return this.#labels.has(name)
  }

  /**
   * Replaces names of hosts in a variable's value: where they are part of an address, or where the variable's name says
   * that it holds a host.
   */
  replaceHosts(variable: string, value: string): string {
    return this.#hosts.reduce((text, { from, to, pattern }) => {
      if (!text.includes(from)) return text
      if (text === from) return /HOST|ADDR|SERVER|NODE|BROKER/i.test(variable) ? to : text
      return text.replace(pattern, () => to)
    }, value)
  }

  #freeLabel(label: string): string {
    const taken = new Set(this.#labels.values())
    let free = label
    for (let i = 2; taken.has(free); i++) free = `${label.slice(0, 60)}-${i}`
    return free
  }
}

function hostOf(from: string, to: string): Host {
  const name = from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const pattern = new RegExp(`(?<=^|[/@,;=\\s])${name}(?=:\\d)|(?<=//|@)${name}(?=[/,;?\\s]|$)`, 'g')
  return { from, to, pattern }
}
