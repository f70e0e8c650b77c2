import type { Listener } from '../../contract/plugin.ts'
import { isOnLoopback } from '../failure/unreachable.ts'

/** Where a service prints that it can be reached, with its port. */
const printedUrl =
  /\bhttps?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|(?:[\w-]+\.)+localhost):(\d{1,5})(?![\d.])/gi
/** Where a debugger (Node's, the JVM's, Delve) prints that it listens. */
const printedDebugger =
  /\b(?:Debugger listening on wss?:\/\/|Listening for transport dt_socket at address: |API server listening at: )(?:\S*:)?(\d{1,5})\b/g

/** Where a service listens besides its own port; see `OtherPort`. */
export type FoundPort = number | 'unsure' | { readonly several: readonly number[] } | undefined

/** Finds the port of a service that ignores $PORT, as most servers of frameworks do without a flag. */
export class OtherPort {
  /** The only other port at the last look. */
  #only: number | undefined
  /** All others at the last look, where there were several. */
  #last = ''

  /**
   * Returns the port that the service listens on instead of its own: the one in a URL that it printed, if its own
   * processes listen there; else its only one, if that is so at two looks, as some open another one first; `unsure` at
   * the first of them. Several that stay the same are returned, those in its URLs first. The port of a debugger is none
   * of these.
   * @param lines its last output, without control sequences
   */
  find(port: number, listeners: readonly Listener[], lines: readonly string[]): FoundPort {
    const reached = listeners.filter(({ address }) => isOnLoopback(address)).map(listener => listener.port)
    const debuggers = new Set(printedPorts(lines, printedDebugger))
    const ports = new Set(reached.filter(each => !debuggers.has(each)))
    const [last, lastSeveral] = [this.#only, this.#last]
    this.#only = undefined
    this.#last = ''
    if (ports.size === 0 || ports.has(port)) return undefined
    const printed = new Set(portsOfUrls(lines).filter(each => ports.has(each)))
    const [named, ...others] = printed
    if (named !== undefined && others.length === 0) return named
    const [only, ...more] = ports
    if (more.length > 0) {
      this.#last = [...ports].sort().join()
      return this.#last === lastSeveral ? { several: [...new Set([...printed, ...ports])] } : 'unsure'
    }
    this.#only = only
    return only === last ? only : 'unsure'
  }
}

/** Returns the ports of local URLs in a service's output. */
export function portsOfUrls(lines: readonly string[]): readonly number[] {
  return printedPorts(lines, printedUrl)
}

function printedPorts(lines: readonly string[], pattern: RegExp): readonly number[] {
  const all = lines.flatMap(line => [...line.matchAll(pattern)].map(([, port]) => Number(port)))
  return all.filter(port => port > 0 && port < 65_536)
}
