import { LocaldError } from '../../kernel/errors.ts'
import type { BoundSocket, Privileges, ShimPlace } from './provides.ts'
import { closeAll, runBind, runShim, type ShimResult } from './run.ts'

const setup = 'Run `sudo locald admin setup`.'
const portTaken = 21
/** Prints nothing then: it may be blocked on its standard error. */
const timedOut = 19
/** Exit codes of a faulty installation (shim/README.md). */
const needsSetup: readonly number[] = [10, 12, 13, 14, 15]
/** Hints by exit code. */
const hints: Readonly<Record<number, string>> = {
  11: 'Start the daemon from a plain terminal: `locald server restart`.',
  19: 'Run the command again: the machine may be busy.',
  16: 'Raise the limits of the shell that starts locald (`ulimit -a`).',
  32: 'Fix /etc/hosts: it must be a regular file of root’s that only root may write to.',
  33: 'Remove the lines that locald added to /etc/hosts, from BEGIN to END, and run `locald admin sync-hosts`.',
  35: 'Where /etc/hosts is locked, unlock it: `sudo chflags nouchg /etc/hosts` on macOS, `sudo chattr -i /etc/hosts` on Linux.',
  41: 'The system trusts only a CA that is limited to local names; add one with domains of your own by hand.',
  42: "Install your distribution's `ca-certificates` package.",
}

/** Does what needs root by the privileged helper. */
export class ShimPrivileges implements Privileges {
  readonly #place: () => ShimPlace

  constructor(place: () => ShimPlace) {
    this.#place = place
  }

  async listen(port: 80 | 443): Promise<readonly BoundSocket[]> {
    const result = await runBind(await this.#path(true), port)
    if (result.code === 0 && result.sockets.length > 0) return result.sockets
    closeAll(result.sockets)
    if (result.code !== portTaken) throw failure(`port ${port} could not be bound`, result)
    throw new LocaldError('PORT_TAKEN', `port ${port} is in use`, {
      hint: `Stop the program that uses it; run \`sudo lsof -iTCP:${port} -sTCP:LISTEN\` to find it.`,
    })
  }

  async hosts(names: readonly string[]): Promise<void> {
    // A count, so that truncated input is not taken for fewer names.
    const input = `locald-hosts 1 ${names.length}\n${names.map(name => `${name}\n`).join('')}`
    await this.#run('hosts', 'the hosts file could not be changed', input)
  }

  async delegateCgroup(): Promise<string> {
    return (await this.#run('cgroup-delegate', 'could not get a cgroup for the daemon')).trim()
  }

  async trust(pem: string): Promise<void> {
    await this.#run('trust', 'the CA could not be added to the system’s store', pem)
  }

  async untrust(pem: string): Promise<void> {
    await this.#run('untrust', 'the CA could not be removed from the system’s store', pem)
  }

  async #run(verb: string, what: string, input?: string): Promise<string> {
    const result = await runShim(await this.#path(false), [verb], input)
    if (result.code === 0) return result.output
    throw failure(what, result)
  }

  /** Finds the helper on each call: it may have been installed or removed meanwhile. */
  async #path(portsSuffice: boolean): Promise<string> {
    const { on, path, portsOnly, reason, hint } = await this.#place().look()
    if (on && (portsSuffice || !portsOnly)) return path
    const why = on ? 'locald-shim was installed for ports only' : (reason ?? 'locald-shim cannot be used')
    throw new LocaldError('FEATURE_OFF', why, { hint: hint ?? setup })
  }
}

function failure(what: string, { code, says }: ShimResult): LocaldError {
  const hint = code === null || needsSetup.includes(code) ? setup : hints[code]
  const why = says === '' ? (code === timedOut ? 'timed out' : `locald-shim exited with ${code ?? 'a signal'}`) : says
  return new LocaldError('SHIM_FAILED', `${what}: ${why}`, hint === undefined ? {} : { hint })
}
