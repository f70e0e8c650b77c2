import { LocaldError } from '../../../kernel/errors.ts'
import { fieldOf, parseJson, textOf } from '../../lib/json.ts'
import { reasonOf } from '../calls/run-engine.ts'
import type { Engine, EngineFound, EngineSource } from '../provides.ts'
import { absent } from './absent.ts'
import { CliEngine } from './cli-engine.ts'
import { describeEndpoint, type Endpoint, isLocal, parseEndpoint } from './endpoint.ts'
import { installHint } from './install-hint.ts'
import { askClient, clientEnvironment, type EngineMachine, findClient, hasClient } from './machine.ts'
import { diagnosePodman } from './podman-diagnosis.ts'
import { isSharedBy } from './shared-folders.ts'

/** `podman machine start` boots a VM: ms. */
const bootLimit = 300_000

/** A podman that answers. */
interface Answer {
  readonly program: string
  readonly version: string
  /** It talks to a service elsewhere: in a VM, or of another user. */
  readonly isRemote: boolean
}

/**
 * Returns podman's version from what `--version` printed, also from a `docker` that is podman; undefined for any other
 * program. Nothing else that podman prints is without effect: `podman version` makes its storage and leaves a process.
 */
export function parsePodmanVersion(printed: string): string | undefined {
  return /^podman version (\S+)/m.exec(printed)?.[1]
}

/** Podman: rootless, or rootful where the daemon runs as root; on macOS in its own VM. */
export class PodmanSource implements EngineSource {
  readonly name = 'podman'
  readonly #machine: EngineMachine

  constructor(machine: EngineMachine) {
    this.#machine = machine
  }

  isInstalled(): boolean {
    return hasClient(this.#machine, 'podman')
  }

  async look(signal?: AbortSignal): Promise<EngineFound> {
    const answer = await this.#ask(signal)
    if ('state' in answer) return answer
    const detail = answer.isRemote ? 'in a VM' : this.#machine.uid === 0 ? 'rootful' : 'rootless'
    return { state: 'running', version: answer.version, detail }
  }

  async open(step: (text: string) => void, signal?: AbortSignal): Promise<Engine> {
    const answer = await this.#start(step, signal)
    if (!answer.isRemote) await this.#tryOut(answer, signal)
    const machine = this.#machine
    const facts = {
      ...{ name: this.name, dialect: 'podman' as const, version: answer.version, program: answer.program },
      env: clientEnvironment(machine),
      hostName: answer.isRemote ? 'host.containers.internal' : undefined,
      isNative: !answer.isRemote,
      shares: async (path: string) => !answer.isRemote || isSharedBy('podman-machine', machine, path),
    }
    return new CliEngine(facts, machine.files)
  }

  /** Starts the VM where there is one that does not run. */
  async #start(step: (text: string) => void, signal?: AbortSignal): Promise<Answer> {
    const first = await this.#ask(signal)
    if (!('state' in first)) return first
    if (first.state === 'absent') throw engineError(first.reason, first.hint)
    step('podman machine start')
    const program = (await this.#find(signal)) ?? 'podman'
    const started = await askClient(this.#machine, program, ['machine', 'start'], signal, bootLimit)
    const second = await this.#ask(signal)
    if (!('state' in second)) return second
    const reason = started.code === 0 ? 'podman machine does not answer' : reasonOf(started)
    throw engineError(`starting the podman machine failed: ${reason}`, 'Run `podman machine start` to see why.')
  }

  /** Fails where podman has no user namespace or storage: it prints its version all the same. */
  async #tryOut({ program }: Answer, signal?: AbortSignal): Promise<void> {
    const tried = await askClient(this.#machine, program, ['ps', '--quiet', '--last', '1'], signal)
    if (tried.code === 0) return
    const reason = reasonOf(tried)
    const hint = diagnosePodman(this.#machine, tried.stderr)
    throw engineError(`podman does not work for this user: ${reason}`, hint)
  }

  async #ask(signal?: AbortSignal): Promise<Answer | EngineFound> {
    const machine = this.#machine
    const program = await this.#find(signal)
    if (program === undefined) return absent('podman is not installed', installHint(machine, 'podman'))
    const endpoint = await this.#endpoint(program, signal)
    if (endpoint !== undefined && !isLocal(endpoint)) {
      const hint = 'Unset CONTAINER_HOST and CONTAINER_CONNECTION: ports and folders of containers would be there.'
      return absent(`podman is on another machine: ${describeEndpoint(endpoint)}`, hint)
    }
    const isRemote = endpoint !== undefined || machine.os === 'darwin'
    if (isRemote) return await this.#askService(program, signal)
    const printed = await askClient(machine, program, ['--version'], signal)
    const version = parsePodmanVersion(printed.stdout)
    if (version !== undefined) return { program, version, isRemote }
    return absent(`podman does not answer: ${reasonOf(printed)}`, 'Run `podman version` to see why.')
  }

  /** Asks a podman that serves others: in a VM, or where the environment says. */
  async #askService(program: string, signal?: AbortSignal): Promise<Answer | EngineFound> {
    const machine = this.#machine
    const printed = await askClient(machine, program, ['--remote', 'version', '--format', '{{json .}}'], signal)
    const answer = parseJson(printed.stdout)
    const version = textOf(answer, 'Server', 'Version')
    if (version !== undefined) return { program, version, isRemote: true }
    if (machine.os === 'darwin') return this.#findVm(program, textOf(answer, 'Client', 'Version') ?? 'unknown', signal)
    const hint = 'Start its service with `systemctl --user start podman.socket`, or unset CONTAINER_HOST.'
    return absent(`podman does not answer: ${reasonOf(printed)}`, hint)
  }

  /** Returns the VM of macOS, which does not run. */
  async #findVm(program: string, version: string, signal?: AbortSignal): Promise<EngineFound> {
    const printed = await askClient(this.#machine, program, ['machine', 'list', '--format', 'json'], signal)
    const machines = parseJson(printed.stdout)
    const isThere = Array.isArray(machines) && machines.length > 0
    if (isThere) return { state: 'startable', version, detail: 'its VM is stopped' }
    return absent('podman has no VM', 'Run `podman machine init --now`.')
  }

  async #find(signal?: AbortSignal): Promise<string | undefined> {
    const machine = this.#machine
    const own = await findClient(machine, 'podman')
    if (own !== undefined) return own
    const docker = await findClient(machine, 'docker')
    if (docker === undefined) return undefined
    const { stdout } = await askClient(machine, docker, ['--version'], signal)
    return parsePodmanVersion(stdout) === undefined ? undefined : docker
  }

  /** Returns where podman's service is, if the environment names one. */
  async #endpoint(program: string, signal?: AbortSignal): Promise<Endpoint | undefined> {
    const { env, os } = this.#machine
    const host = env['CONTAINER_HOST']
    if (host) return parseEndpoint(host)
    const name = env['CONTAINER_CONNECTION']
    if (!name && os !== 'darwin') return undefined
    const printed = await askClient(
      this.#machine,
      program,
      ['system', 'connection', 'list', '--format', 'json'],
      signal,
    )
    const listed = parseJson(printed.stdout)
    const connections: readonly unknown[] = Array.isArray(listed) ? listed : []
    const isUsed = (each: unknown) => (name ? fieldOf(each, 'Name') === name : fieldOf(each, 'Default') === true)
    const uri = textOf(connections.find(isUsed), 'URI')
    return uri === undefined ? undefined : parseEndpoint(uri)
  }
}

function engineError(message: string, hint: string): LocaldError {
  return new LocaldError('ENGINE_FAILED', message, { hint })
}
