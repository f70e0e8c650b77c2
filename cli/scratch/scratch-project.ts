import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { labelOf } from '../../kernel/config/names.ts'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import type { LocaldEvent } from '../../kernel/events.ts'
import type { CleanAnswer, ForgetBody } from '../../kernel/protocol.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon, requireDaemon } from '../daemon/client.ts'
import { type Entry, formatToml } from '../init/toml.ts'
import { processStart } from './process-start.ts'

/** What a scratch project runs. */
export interface ScratchSpec {
  /** The command that makes it: the end of its name. */
  readonly kind: 'serve' | 'try'
  /** The folder that it is named after, absolute. */
  readonly folder: string
  /** The keys of its one service. */
  readonly entries: readonly Entry[]
}

/** The process that a scratch project belongs to. */
interface Owner {
  readonly pid: number
  /** When it was started, as another process may get its pid. */
  readonly start: string
  /** The project's name. */
  readonly name: string
}

const nameBytes = 55
const ownerFile = 'owner.json'

/**
 * A project below the data folder with one service, `web`, which exists as long as the process that made it. Its port
 * is the same for the same folder and service; so is its name, but for a number where others of the folder run.
 */
export class ScratchProject {
  readonly folder: string
  readonly #paths: Context['paths']

  private constructor(folder: string, paths: Context['paths']) {
    this.folder = folder
    this.#paths = paths
  }

  /** Writes the project, after removing those whose process was killed. Throws USAGE where it runs already. */
  static async create({ paths }: Pick<Context, 'paths'>, spec: ScratchSpec): Promise<ScratchProject> {
    // Without a daemon nothing is written.
    await requireDaemon(paths)
    const all = join(paths.data, 'scratch')
    mkdirSync(all, { recursive: true, mode: 0o700 })
    const others: string[] = []
    for (const folder of readdirSync(all)) {
      const left = new ScratchProject(join(all, folder), paths)
      const owner = await left.#owner()
      if (owner === undefined) await left.remove()
      else others.push(owner.name)
    }
    const label = labelOf(spec.folder.split('/').at(-1) ?? '').slice(0, nameBytes)
    const identity = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 12)
    const project = new ScratchProject(join(all, `${label}-${spec.kind}-${identity}`), paths)
    const name = numbered(`${label}-${spec.kind}`, others)
    const self: Owner = { pid: process.pid, start: (await processStart(process.pid)) ?? '', name }
    const toml = formatToml(
      [`Written by \`locald ${spec.kind}\`, which removes it when it exits.`],
      [
        { header: ['project'], entries: [{ key: 'name', value: name }] },
        { header: ['services', 'web'], entries: spec.entries },
      ],
    )
    if (!project.#place({ [ownerFile]: JSON.stringify(self), 'locald.toml': toml })) {
      const pid = (await project.#owner())?.pid
      throw new LocaldError('USAGE', `the same runs already: 'locald ${spec.kind}'${pid ? ` with pid ${pid}` : ''}`, {
        hint: 'Run `locald status --all` to see its URL.',
      })
    }
    return project
  }

  /**
   * Makes the folder with these files at once: another process sees all of them or none. Returns false where the folder
   * exists.
   */
  #place(files: Readonly<Record<string, string>>): boolean {
    const made = mkdtempSync(join(this.#paths.data, 'scratch-'))
    try {
      for (const [name, text] of Object.entries(files)) writeAtomic(join(made, name), text, { durable: false })
      renameSync(made, this.folder)
      return true
    } catch (error) {
      rmSync(made, { recursive: true, force: true })
      if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false
      throw error
    }
  }

  /**
   * Stops the service, deletes the folder and the logs, and makes the daemon forget the project. Without a daemon the
   * next one like it does that.
   */
  async remove(): Promise<void> {
    const daemon = await findDaemon(this.#paths).catch(() => undefined)
    if (daemon === undefined) return
    await stop(daemon, this.folder)
    rmSync(this.folder, { recursive: true, force: true })
    const body: ForgetBody = { paths: [this.folder] }
    const answer = await daemon.post<CleanAnswer>('/v1/registry/forget', body).catch(() => undefined)
    for (const { name } of answer?.forgotten ?? [])
      rmSync(join(this.#paths.data, 'logs', name), { recursive: true, force: true })
  }

  /** Returns the process that it belongs to, if that still runs. */
  async #owner(): Promise<Owner | undefined> {
    const text = await readFile(join(this.folder, ownerFile), 'utf8').catch(() => '')
    const [, pid = '', start, name = ''] = /^\{"pid":(\d{1,10}),"start":"([^"]*)","name":"([^"]*)"\}$/.exec(text) ?? []
    const found = pid === '' ? undefined : await processStart(Number(pid))
    return found === undefined || found !== start ? undefined : { pid: Number(pid), start: found, name }
  }
}

/** Returns a name that no other has: `shop-try`, then `shop-try-2`. */
function numbered(name: string, others: readonly string[]): string {
  for (let number = 1; ; number++) {
    const next = number === 1 ? name : `${name}-${number}`
    if (!others.includes(next)) return next
  }
}

/** Stops a project. One that the daemon does not know, or cannot read, does not run. */
async function stop(daemon: Client, path: string): Promise<void> {
  const doing = 'stopping the service'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body: { path }, doing })
  try {
    for await (const events of stream.batches) if (events.some(({ event }) => event === 'done')) break
  } catch {
    // As above; or the daemon is stopping, and its services with it.
  } finally {
    stream.close()
  }
}
