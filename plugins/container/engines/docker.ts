import { LocaldError } from '../../../kernel/errors.ts'
import { parseJson, textOf } from '../../lib/json.ts'
import { reasonOf } from '../calls/run-engine.ts'
import { hostAlias } from '../names.ts'
import type { Engine, EngineFound, EngineSource } from '../provides.ts'
import { type Absent, absent } from './absent.ts'
import { CliEngine } from './cli-engine.ts'
import { type DockerTarget, findDockerTarget } from './contexts.ts'
import { describeEndpoint, isLocal } from './endpoint.ts'
import { installHint } from './install-hint.ts'
import { askClient, clientEnvironment, type EngineMachine, findClient, hasClient } from './machine.ts'
import { parsePodmanVersion } from './podman.ts'
import { isSharedBy, type VmKind } from './shared-folders.ts'
import { findSockets, socketOwner } from './sockets.ts'

/** A docker that answers. */
interface Answer {
  readonly program: string
  readonly version: string
  readonly product: string
  /** The VM that it runs in; undefined: on this machine. */
  readonly vm: VmKind | undefined
  readonly target: DockerTarget
}

/** Docker, by the engine that its own CLI would use: DOCKER_HOST, DOCKER_CONTEXT or its current context. */
export class DockerSource implements EngineSource {
  readonly name = 'docker'
  readonly #machine: EngineMachine

  constructor(machine: EngineMachine) {
    this.#machine = machine
  }

  isInstalled(): boolean {
    return hasClient(this.#machine, 'docker')
  }

  async look(signal?: AbortSignal): Promise<EngineFound> {
    const answer = await this.#ask(signal)
    return 'state' in answer ? answer : { state: 'running', version: answer.version, detail: answer.product }
  }

  async open(_step: (text: string) => void, signal?: AbortSignal): Promise<Engine> {
    const answer = await this.#ask(signal)
    if ('state' in answer) throw new LocaldError('ENGINE_FAILED', answer.reason, { hint: answer.hint })
    const { program, version, vm, target } = answer
    const machine = this.#machine
    const facts = {
      ...{ name: this.name, dialect: 'docker' as const, version, program, env: pinnedEnvironment(machine, target) },
      hostName: vm === undefined ? undefined : hostAlias,
      isNative: vm === undefined,
      shares: async (path: string) => vm === undefined || isSharedBy(vm, machine, path),
    }
    return new CliEngine(facts, machine.files)
  }

  async #ask(signal?: AbortSignal): Promise<Answer | Absent> {
    const machine = this.#machine
    const program = await findClient(machine, 'docker')
    if (program === undefined) return this.#describeMissing()
    const target = await findDockerTarget(machine)
    if ('missing' in target) {
      const reason = `docker's context '${target.missing}' does not exist`
      return absent(
        reason,
        target.namedBy === 'context' ? 'Run `docker context use default`.' : 'Unset DOCKER_CONTEXT.',
      )
    }
    if (!isLocal(target.endpoint)) return describeRemote(target)
    const { stdout } = await askClient(machine, program, ['--version'], signal)
    if (parsePodmanVersion(stdout) !== undefined)
      return absent("the command `docker` is podman's", 'Use the engine podman.')
    const printed = await askClient(machine, program, ['version', '--format', '{{json .}}'], signal)
    const answer = parseJson(printed.stdout)
    const version = textOf(answer, 'Server', 'Version')
    if (version === undefined) return this.#describeSilence(target, printed.stderr, reasonOf(printed))
    if (textOf(answer, 'Server', 'Os') === 'windows') {
      return absent('docker runs Windows containers', 'Switch Docker Desktop to Linux containers.')
    }
    const platform = textOf(answer, 'Server', 'Platform', 'Name') ?? ''
    return { program, version, target, ...(await this.#place(target, platform)) }
  }

  /** Returns where docker's engine runs. */
  async #place({ endpoint }: DockerTarget, platform: string): Promise<Pick<Answer, 'product' | 'vm'>> {
    const owner = endpoint.socket === undefined ? undefined : await socketOwner(this.#machine, endpoint.socket)
    if (owner !== undefined) return { product: owner.product, vm: owner.kind }
    // On macOS /var/run/docker.sock is a link that one of them made.
    const isInVm = this.#machine.os !== 'linux' || platform.startsWith('Docker Desktop')
    return isInVm ? { product: 'Docker Desktop', vm: 'docker-desktop' } : { product: 'docker', vm: undefined }
  }

  async #describeMissing(): Promise<Absent> {
    const [other] = await findSockets(this.#machine)
    const package_ = this.#machine.os === 'darwin' || other !== undefined ? 'docker' : 'docker.io'
    const hint = installHint(this.#machine, package_)
    return absent(
      other === undefined ? 'docker is not installed' : `the command of ${other.product} is not on PATH`,
      hint,
    )
  }

  /** Explains why the CLI got no answer of its engine. */
  async #describeSilence({ endpoint }: DockerTarget, stderr: string, failure: string): Promise<Absent> {
    if (/permission denied/i.test(stderr)) {
      return absent(
        `this user may not use ${describeEndpoint(endpoint)}`,
        'Run `sudo usermod -aG docker $USER` and log in again.',
      )
    }
    const owner = endpoint.socket === undefined ? undefined : await socketOwner(this.#machine, endpoint.socket)
    if (owner !== undefined) return absent(`${owner.product} does not run`, `Run \`${owner.start}\`.`)
    const [other] = await findSockets(this.#machine)
    const start = this.#machine.os === 'darwin' ? 'open -a Docker' : 'sudo systemctl start docker'
    const hint =
      other === undefined
        ? `Run \`${start}\`.`
        : `Set \`DOCKER_HOST=unix://${other.socket}\`, where ${other.product} listens, and run \`locald server restart\`.`
    return absent(
      /cannot connect|is the docker daemon running/i.test(failure)
        ? 'docker does not run'
        : `docker does not answer: ${failure}`,
      hint,
    )
  }
}

/** Keeps the CLI with the engine that was opened when the current context changes: containers of ours run there. */
function pinnedEnvironment(
  machine: EngineMachine,
  { endpoint, context }: DockerTarget,
): Readonly<Record<string, string>> {
  const env = clientEnvironment(machine)
  return context === undefined || endpoint.socket === undefined ? env : { ...env, DOCKER_HOST: endpoint.url }
}

/** Explains the refusal of an engine on another machine: ports and folders of containers would be there. */
function describeRemote({ endpoint, namedBy, context }: DockerTarget): Absent {
  const where = `on another machine (${describeEndpoint(endpoint)})`
  if (namedBy === 'DOCKER_HOST')
    return absent(`DOCKER_HOST is ${where}`, 'Unset DOCKER_HOST and run `locald server restart`.')
  const hint =
    namedBy === 'DOCKER_CONTEXT'
      ? 'Unset DOCKER_CONTEXT and run `locald server restart`.'
      : 'Run `docker context use default`, or use another engine: `locald container engine podman`.'
  return absent(`docker's context '${context}' is ${where}`, hint)
}
