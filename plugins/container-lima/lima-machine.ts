import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../../kernel/contract/plugin.ts'
import type { Engine } from '../container/provides.ts'
import { canAccess } from '../lib/files.ts'
import { failed, missingLima } from './failures.ts'
import { findEngine, type ProbeLimits, probeLimits } from './guest/engine-probe.ts'
import type { GuestEngine } from './guest/guest-engine.ts'
import { stopContainers } from './guest/stop-containers.ts'
import { findKvm, qemuVariables } from './kvm.ts'
import { limaEngine } from './lima-engine.ts'
import type { LimaFiles } from './lima-files.ts'
import { excessOf } from './lima-home.ts'
import { Limactl } from './limactl.ts'
import { type LimaOptions, readOptions } from './options.ts'
import { Vm, type VmTimes } from './vm/vm.ts'
import { VmUsage } from './vm/vm-usage.ts'
import { VmVerbs } from './vm/vm-verbs.ts'

/** Times that tests shorten. */
export interface LimaTimes {
  readonly vm?: VmTimes
  readonly probe?: ProbeLimits
  /** How long limactl may take beyond its own limit: ms. */
  readonly graceMs?: number
}

/** A limactl that was found, and the VM that it manages. */
export interface FoundLima {
  readonly limactl: Limactl
  readonly verbs: VmVerbs
  readonly vm: Vm
}

/** All that the plugin knows of this machine's Lima. limactl is looked for each time: it may be installed later. */
export class LimaMachine {
  readonly #host: Host
  readonly #env: NodeJS.ProcessEnv
  readonly #files: LimaFiles
  readonly #times: LimaTimes
  #found: FoundLima | undefined
  #guest: GuestEngine | undefined
  #options: LimaOptions | undefined
  /** Who uses the VM. */
  readonly usage: VmUsage

  constructor(host: Host, env: NodeJS.ProcessEnv, files: LimaFiles, times: LimaTimes = {}) {
    this.#host = host
    this.#env = env
    this.#files = files
    this.#times = times
    this.usage = new VmUsage(this.options.idleStopMs, () => void this.#stopIdle())
  }

  get options(): LimaOptions {
    this.#options ??= readOptions(this.#host.options, homedir())
    return this.#options
  }

  get os(): NodeJS.Platform {
    return this.#host.platform.os
  }

  get env(): NodeJS.ProcessEnv {
    return this.#env
  }

  get limaHome(): string {
    return this.#files.limaHome
  }

  /** The folder of `locald vm install`. */
  get dist(): string {
    return this.#files.dist
  }

  /** The engine in the VM, once it was found. */
  get guest(): GuestEngine | undefined {
    return this.#guest
  }

  /** Looks for limactl; undefined where it is missing. */
  async find(): Promise<FoundLima | undefined> {
    const program = await this.#files.find()
    if (program === undefined) return undefined
    const kvm = this.os === 'linux' ? await findKvm() : 'usable'
    // Without a wait in between: two callers would each have a VM of their own.
    if (this.#found?.limactl.program !== program) {
      const limactl = new Limactl(program, this.limaHome, { ...this.#env, ...qemuVariables(kvm, this.#env) })
      const verbs = new VmVerbs(limactl, this.limaHome, this.options, this.#times.graceMs)
      const work = { verify: () => this.#findGuest(limactl), quiet: () => this.#stopContainers(limactl) }
      const vm = new Vm(verbs, work, this.#times.vm)
      this.#found = { limactl, verbs, vm }
    }
    return this.#found
  }

  /** As `find`; throws ENGINE_FAILED where it is missing. */
  async require(): Promise<FoundLima> {
    const found = await this.find()
    if (found === undefined) throw missingLima(this.#env)
    return found
  }

  /** Brings the VM up, and returns the engine in it. */
  async open(step: (text: string) => void, signal?: AbortSignal): Promise<Engine> {
    const { limactl, vm } = await this.require()
    await this.#requireMachine()
    await vm.up(step, signal)
    // Without a user, it stops after a while.
    this.usage.watch()
    const guest = this.#guest
    if (guest === undefined) throw new Error('the VM is up without an engine')
    return limaEngine({ limactl, guest, vm, usage: this.usage, options: this.options })
  }

  /** Stops the services that use the VM, so that the restart of none starts it again. */
  async stopServices(): Promise<void> {
    const { control } = this.#host.use
    await Promise.all(this.usage.services.map(key => control.stop(key)))
  }

  /** Watches a VM that runs since an earlier daemon, so that it stops when no service uses it. */
  async watchRunning(): Promise<void> {
    const found = await this.find()
    if (found === undefined || !(await canAccess(join(found.verbs.dir, 'ha.pid')))) return
    const info = await found.vm.look()
    if (info?.status === 'Running') this.usage.watch()
  }

  async #stopIdle(): Promise<void> {
    try {
      await this.#found?.vm.down(() => this.usage.services.length > 0)
      this.#host.log.info('stopped the idle Lima VM')
    } catch (error) {
      this.#host.log.warn(`the idle Lima VM did not stop: ${String(error)}`)
    }
  }

  async #findGuest(limactl: Limactl): Promise<void> {
    this.#guest = await findEngine(limactl, this.options, this.#times.probe ?? probeLimits)
  }

  async #stopContainers(limactl: Limactl): Promise<void> {
    // Unknown in a VM of an earlier daemon that no service has used since.
    if (this.#guest !== undefined) await stopContainers(limactl, this.options, this.#guest)
  }

  /** Throws where a VM could not work here, before limactl fails half-way. */
  async #requireMachine(): Promise<void> {
    const excess = excessOf(this.limaHome, this.os)
    if (excess > 0) {
      throw failed(
        `Lima: its folder ${this.limaHome} is ${excess} bytes too long for the sockets in it`,
        'Set LOCALD_LIMA_HOME to a shorter folder and run `locald server restart`.',
      )
    }
    const fault = await this.kvmFault()
    if (fault !== undefined && !this.options.allowSlow) throw failed(`Lima: ${fault.reason}`, fault.hint)
  }

  /** Returns why QEMU would run without KVM; undefined where it has it, or another system's virtualization is used. */
  async kvmFault(): Promise<{ readonly reason: string; readonly hint: string } | undefined> {
    const state = this.os === 'linux' ? await findKvm() : 'usable'
    if (state === 'usable') return undefined
    const slow = 'Or set `allow_slow = true` in `[plugins.container-lima]`: a start then takes many minutes.'
    if (state === 'missing')
      return { reason: 'this machine has no /dev/kvm', hint: `Enable virtualization in its firmware. ${slow}` }
    return {
      reason: 'this user may not use /dev/kvm',
      hint: `Run \`sudo usermod -aG kvm $USER\` and log in again. ${slow}`,
    }
  }
}
