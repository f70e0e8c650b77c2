import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import type { Cgroups } from '../provides.ts'
import { type CgroupMethod, daemonLeaf } from './detect.ts'

const prefix = 's-'
const controllers = ['+cpu', '+memory', '+pids'] as const
/** Killed processes exit after a few milliseconds; a removal waits this long: ms. */
const removeMs = 2000
/** A cgroup that stays empty for longer was left by a killed daemon: ms. */
const staleMs = 60_000

/** What a tree of cgroups needs. */
export interface CgroupTreeInput {
  readonly method: () => Promise<CgroupMethod>
  /** Gets a folder from the privileged helper, which moves the daemon into it. */
  readonly delegate: () => Promise<string>
  readonly log: Log
}

/** A cgroup for each service, below a folder that is found or requested for the first one. */
export class CgroupTree implements Cgroups {
  readonly #input: CgroupTreeInput
  #base: Promise<string | undefined> | undefined

  constructor(input: CgroupTreeInput) {
    this.#input = input
  }

  async make(name: string): Promise<string | undefined> {
    this.#base ??= this.#prepare()
    const base = await this.#base
    if (base === undefined) return undefined
    const folder = join(base, `${prefix}${name}`)
    try {
      await mkdir(folder)
      return folder
    } catch (error) {
      this.#input.log.warn(`could not create a cgroup for a service: ${messageOf(error)}`)
      // Another daemon of the user may have been the last in it, and have removed it.
      this.#base = undefined
      return undefined
    }
  }

  async remove(folder: string): Promise<void> {
    await writeFile(join(folder, 'cgroup.kill'), '1').catch(() => undefined)
    const deadline = performance.now() + removeMs
    for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
      const left = await removeAll(folder)
      if (left === undefined) return
      if (performance.now() > deadline) throw new Error(`${folder} cannot be removed (${left})`)
      await setTimeout(pause)
    }
  }

  async #prepare(): Promise<string | undefined> {
    try {
      const method = await this.#input.method()
      if (method.by === 'none') return undefined
      const folder = method.by === 'shim' ? await this.#input.delegate() : method.folder
      if (method.by === 'enter') await enterCgroup(folder)
      // One by one: stopping services needs none of them.
      for (const controller of controllers) {
        await writeFile(join(folder, 'cgroup.subtree_control'), controller).catch(() => undefined)
      }
      void sweepStale(folder).catch(() => undefined)
      return folder
    } catch (error) {
      this.#input.log.warn(`cgroups are not available: ${messageOf(error)}`)
      return undefined
    }
  }
}

/** Returns a service's usage from its cgroup's accounting; undefined for what is not counted there. */
export async function cgroupUsage(
  folder: string,
): Promise<{ readonly cpuMs: number | undefined; readonly memory: number | undefined }> {
  const text = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '')
  const [cpu, current, memory] = await Promise.all([text('cpu.stat'), text('memory.current'), text('memory.stat')])
  const usec = /^usage_usec (\d+)$/m.exec(cpu)?.[1]
  // The count includes cached files, which the system can drop at any time.
  const idle = /^inactive_file (\d+)$/m.exec(memory)?.[1]
  return {
    cpuMs: usec === undefined ? undefined : Number(usec) / 1000,
    memory: current === '' ? undefined : Math.max(Number(current) - Number(idle ?? 0), 0),
  }
}

/**
 * Moves the daemon into a cgroup below, with everything else in the delegated one, such as the CLI that started it: a
 * cgroup with processes cannot delegate controllers.
 */
async function enterCgroup(folder: string): Promise<void> {
  const leaf = join(folder, daemonLeaf, 'cgroup.procs')
  await mkdir(join(folder, daemonLeaf), { recursive: true })
  await writeFile(leaf, String(process.pid))
  const others = (await readFile(join(folder, 'cgroup.procs'), 'utf8')).split('\n').filter(pid => pid !== '')
  // It may have exited meanwhile.
  for (const pid of others) await writeFile(leaf, pid).catch(() => undefined)
}

/**
 * Removes a cgroup and those below it. Returns the code of the error that prevented it, undefined when it is removed.
 */
async function removeAll(folder: string): Promise<string | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    for (const entry of entries) if (entry.isDirectory()) await removeAll(join(folder, entry.name))
    await rmdir(folder)
    return undefined
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : (systemCode(error) ?? messageOf(error))
  }
}

/**
 * Removes cgroups that are empty now and after a while: another daemon of the user may have created one for a service
 * that has not joined yet.
 */
async function sweepStale(base: string): Promise<void> {
  const names = (await readdir(base)).filter(name => name.startsWith(prefix))
  await setTimeout(staleMs, undefined, { ref: false })
  for (const name of names) await rmdir(join(base, name)).catch(() => undefined)
}
