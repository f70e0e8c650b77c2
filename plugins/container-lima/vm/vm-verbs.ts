import { existsSync } from 'node:fs'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocaldError } from '../../../kernel/errors.ts'
import { readJson, writeAtomic } from '../../lib/files.ts'
import { failed, failedVerb, oldLima } from '../failures.ts'
import { instance } from '../lima-home.ts'
import type { Limactl, LimactlResult } from '../limactl.ts'
import type { LimaOptions } from '../options.ts'
import {
  findInstance,
  type InstanceInfo,
  isRecent,
  type LimaInfo,
  readCauses,
  readInfo,
  readVersion,
} from './instance-info.ts'
import { baseHash, settingsExpression, settingsHash, writeTemplate } from './template.ts'

/**
 * Limits of the verbs: ms. The status call of `list` waits 3 s for a host agent that hangs; a creation downloads an image
 * of 0.6 GB.
 */
const limits = {
  create: 3_600_000,
  version: 10_000,
  list: 30_000,
  stop: 385_000,
  force: 60_000,
  remove: 60_000,
} as const

/** What is recorded of the VM when it is created and started. */
interface Applied {
  readonly base: string | undefined
  readonly settings: string | undefined
}

/** The verbs of limactl on locald's VM. Each rejects with ENGINE_FAILED. */
export class VmVerbs {
  readonly limactl: Limactl
  readonly #home: string
  readonly #options: LimaOptions
  readonly #graceMs: number

  /**
   * @param home LIMA_HOME
   * @param graceMs how long limactl may take beyond its own limit for a start, before it is killed
   */
  constructor(limactl: Limactl, home: string, options: LimaOptions, graceMs = 30_000) {
    this.limactl = limactl
    this.#graceMs = graceMs
    this.#home = home
    this.#options = options
  }

  /** The VM's own folder. */
  get dir(): string {
    return join(this.#home, instance)
  }

  /** Returns Lima's version; throws for one that is too old, or a program that is not limactl. */
  async version(signal?: AbortSignal): Promise<string> {
    const result = await this.limactl.run(['--version'], { timeoutMs: limits.version, signal })
    const version = readVersion(result.stdout)
    if (version === undefined) throw failedVerb('`limactl --version`', result, this.dir)
    if (!isRecent(version)) throw oldLima(version)
    return version
  }

  /** Returns what Lima says of itself and this machine. */
  async info(): Promise<LimaInfo | undefined> {
    return readInfo((await this.limactl.run(['info'], { timeoutMs: this.#limit('list') })).stdout)
  }

  /** Returns the VM as Lima sees it; undefined where it was never created. */
  async look(signal?: AbortSignal): Promise<InstanceInfo | undefined> {
    // Lima reports no VM for a LIMA_HOME that does not exist.
    if (!existsSync(this.dir)) return undefined
    const result = await this.limactl.run(['list', '--json'], { timeoutMs: this.#limit('list'), signal })
    if (result.code !== 0) throw failedVerb('reading the state of the VM', result, this.dir)
    const found = findInstance(result.stdout)
    if (found?.status !== 'Broken') return found
    return { ...found, errors: [...found.errors, ...(await this.#causes(signal))] }
  }

  async #causes(signal: AbortSignal | undefined): Promise<readonly string[]> {
    const run = { timeoutMs: this.#limit('list'), signal, isText: true }
    return readCauses((await this.limactl.run(['list', '--json'], run)).stderr)
  }

  async create(step: (text: string) => void): Promise<void> {
    await mkdir(this.#home, { recursive: true, mode: 0o700 })
    await chmod(this.#home, 0o700)
    const result = await this.limactl.run(['create', `--name=${instance}`, '-'], {
      timeoutMs: limits.create,
      input: writeTemplate(this.#options),
      onLog: text => step(`creating the VM: ${text}`),
    })
    // An earlier create that was interrupted may have come this far.
    if (result.code !== 0 && !/already exists/.test(result.stderr)) throw this.#error('creating the VM', result)
    await this.#record({ base: baseHash(this.#options), settings: settingsHash(this.#options) })
  }

  /**
   * Starts the VM with its current settings. Without `--progress`, with which limactl waits for ever in a guest whose
   * cloud-init does not report its end.
   */
  async start(step: (text: string) => void): Promise<void> {
    const { startMs, portForwarder } = this.#options
    const applied = await this.#applied()
    const isChanged = applied.settings !== settingsHash(this.#options)
    const words = [
      'start',
      `--timeout=${Math.max(1, Math.round(startMs / 1000))}s`,
      ...(isChanged ? ['--set', settingsExpression(this.#options)] : []),
      instance,
    ]
    const result = await this.limactl.run(words, {
      timeoutMs: startMs + this.#graceMs,
      onLog: text => step(`starting the VM: ${text.replace(/^\[hostagent\] /, '')}`),
      env: portForwarder === undefined ? {} : { LIMA_SSH_PORT_FORWARDER: String(portForwarder === 'ssh') },
    })
    if (result.code !== 0) throw this.#error('starting the VM', result)
    if (isChanged) await this.#record({ ...applied, settings: settingsHash(this.#options) })
  }

  async stop(): Promise<void> {
    const result = await this.limactl.run(['stop', instance], { timeoutMs: this.#limit('stop') })
    if (result.code !== 0) await this.forceStop()
  }

  /** Kills what runs of the VM, and removes its pid files and sockets; its disk stays. */
  async forceStop(): Promise<void> {
    const result = await this.limactl.run(['stop', '--force', instance], { timeoutMs: this.#limit('force') })
    if (result.code !== 0) throw this.#error('stopping the VM', result)
  }

  /** Removes the VM with its disk. */
  async remove(): Promise<void> {
    const result = await this.limactl.run(['delete', '--force', instance], { timeoutMs: this.#limit('remove') })
    if (result.code !== 0) throw this.#error('deleting the VM', result)
    await rm(this.#recordFile, { force: true })
  }

  /**
   * Removes what a create that was killed has left: Lima does not remove a VM without a configuration. Throws where it
   * has a disk.
   */
  async removeRemains(): Promise<void> {
    if (['disk', 'diffdisk'].some(name => existsSync(join(this.dir, name)))) {
      throw failed(
        `Lima: the VM has a disk, but its configuration ${join(this.dir, 'lima.yaml')} is missing`,
        `Restore that file, or remove ${this.dir} with the data in it.`,
      )
    }
    await rm(this.dir, { recursive: true, force: true })
  }

  /** Returns what of the options the VM does not have yet: `restart` applies it, `create` needs a new VM. */
  async pending(): Promise<'restart' | 'create' | undefined> {
    const { base, settings } = await this.#applied()
    if (base !== undefined && base !== baseHash(this.#options)) return 'create'
    return settings !== undefined && settings !== settingsHash(this.#options) ? 'restart' : undefined
  }

  #limit(verb: keyof typeof limits): number {
    return limits[verb] * this.#options.patience
  }

  // Names with an underscore are no VMs to Lima.
  get #recordFile(): string {
    return join(this.#home, '_locald.json')
  }

  async #applied(): Promise<Applied> {
    const value = await readJson(this.#recordFile)
    const text = (key: string): string | undefined => {
      const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
      return typeof found === 'string' ? found : undefined
    }
    return { base: text('base'), settings: text('settings') }
  }

  async #record(applied: Applied): Promise<void> {
    await writeAtomic(this.#recordFile, `${JSON.stringify(applied)}\n`)
  }

  #error(what: string, result: LimactlResult): LocaldError {
    return failedVerb(what, result, this.dir)
  }
}
