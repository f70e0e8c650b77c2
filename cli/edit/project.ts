import { relative } from 'node:path'
import { isTable, own, type Table } from '../../kernel/config/document/table.ts'
import { parseToml } from '../../kernel/config/sources/read.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { realPath } from '../../kernel/lib/real-path.ts'
import { isBelow } from '../../kernel/lib/subpath.ts'
import type { ConfigAnswer, ConfigBody, InferredAnswer } from '../../kernel/protocol.ts'
import { closest } from '../../kernel/system/suggest.ts'
import { findProjectFolder } from '../args/folder.ts'
import { type Context, callerEnvironment } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { defaultName, formatInferred } from '../init/inferred.ts'
import { type Entry, formatSection, formatToml } from '../init/toml.ts'
import { lineOfPath, parseDocument } from './document.ts'
import { applyEdit } from './edit.ts'
import { toArgumentError, toUsedError } from './faulty-service.ts'
import { type ProjectFile, readProjectFile, writeProjectFile } from './file.ts'
import { removeTable } from './removal.ts'

/** A service to add. */
export interface NewService {
  readonly name: string
  /** The keys of its table, in the order in which they are written. */
  readonly entries: readonly Entry[]
}

/** What was written. */
export interface Added {
  readonly file: string
  /** Line of the service's table. */
  readonly line: number
  /** Its lines. */
  readonly toml: string
  /** What the file was made from, where it did not exist: the file of the inferred project, or nothing. */
  readonly created: { readonly from: string | undefined } | undefined
  /** What an `up` from this shell lacks or would warn of. */
  readonly warnings: readonly { readonly message: string; readonly hint: string }[]
}

/** A service that was removed from the file, or would be. */
export interface Removed {
  readonly file: string
  /** Line of the first part of the service. */
  readonly line: number
  /** What was written of it. */
  readonly toml: string
  readonly warnings: Added['warnings']
}

/** The project whose `locald.toml` gets services: the nearest at or above a folder, else the folder itself. */
export class EditedProject {
  readonly #file: ProjectFile
  readonly #text: string
  readonly #inferredFrom: string | undefined
  readonly #daemon: Client
  /** The names of the services that its file has, or those that are inferred. */
  readonly names: readonly string[]

  private constructor(daemon: Client, file: ProjectFile, { text, from }: { text: string; from: string | undefined }) {
    this.#daemon = daemon
    this.#file = file
    this.#text = text
    this.#inferredFrom = from
    const services = own(dataOf(file.file, text), 'services')
    this.names = isTable(services) ? Object.keys(services) : []
  }

  /** Reads the project of the caller's folder. Throws CONFIG_INVALID for a file that is not TOML. */
  static async open({ cwd, paths }: Pick<Context, 'cwd' | 'paths'>, daemon: Client): Promise<EditedProject> {
    const start = await realPath(cwd)
    const folder = findProjectFolder(start) ?? start
    const file = await readProjectFile(folder, paths.data)
    const text = file.present?.text
    return new EditedProject(
      daemon,
      file,
      text === undefined ? await inferText(daemon, folder) : { text, from: undefined },
    )
  }

  /** The folder of the project, absolute. */
  get folder(): string {
    return this.#file.folder
  }

  /**
   * Returns the `workdir` of a service that runs in a folder: none for the project's own, relative for one below it, else
   * absolute: `../../..` would mean another one after a move. Throws USAGE without a folder.
   */
  async workdirEntries(path: string): Promise<readonly Entry[]> {
    const real = await realPath(path).catch(error => {
      throw new LocaldError('USAGE', `there is no folder ${path}`, { hint: 'Check `--workdir`.', cause: error })
    })
    if (real === this.folder) return []
    return [{ key: 'workdir', value: isBelow(real, this.folder) ? relative(this.folder, real) : real }]
  }

  /**
   * Adds a service to the file, and creates the file where there is none. Nothing is written unless the configuration
   * is valid afterwards. Throws USAGE for a name that exists and a service that is wrong, EDIT_FAILED where the file has no place for the lines.
   */
  async add({ name, entries }: NewService): Promise<Added> {
    const { file, present } = this.#file
    if (this.names.includes(name))
      throw new LocaldError('USAGE', `service '${name}' exists already in ${this.#describe(name)}`, {
        hint: 'Choose another name with `--name NAME`, or edit the file.',
      })
    const section = { header: ['services', name], entries }
    const toml = formatSection(section)
    const named = withProjectName(this.#text, file, this.folder)
    const text = named === undefined ? undefined : applyEdit(named, { kind: 'add', section })
    if (text === undefined)
      throw new LocaldError('EDIT_FAILED', `${file} has no place for a service that keeps the rest as it is`, {
        hint: `Write these lines yourself:\n\n${toml}`,
      })
    const warnings = await this.#check(text).catch(error => {
      throw toArgumentError(error, name)
    })
    writeProjectFile(this.#file, text)
    const line = lineOfPath(parseDocument(text), section.header) ?? 1
    return { file, line, toml, created: present === undefined ? { from: this.#inferredFrom } : undefined, warnings }
  }

  /**
   * Checks that a service can be removed from the file, and returns what does that. Throws USAGE for a service that the
   * file does not have, and with all places that use it.
   */
  async removal(name: string): Promise<{ readonly removed: Removed; readonly write: () => void }> {
    const { file } = this.#file
    if (this.#file.present === undefined || !this.names.includes(name)) throw this.#unknown(name)
    const path = ['services', name]
    const [text, draft] = [false, true].map(keepsLines =>
      applyEdit(this.#text, { kind: 'remove-table', path, keepsLines }),
    )
    const found = removeTable(this.#text.replace(/^\uFEFF/, ''), path)
    if (text === undefined || draft === undefined || found === undefined)
      throw new LocaldError('EDIT_FAILED', `service '${name}' cannot be removed from ${this.#describe(name)}`, {
        hint: 'Remove its lines in your editor.',
      })
    const warnings = await this.#check(draft).catch(async error => {
      const before = await this.#check(this.#text).then(
        () => [],
        fault => LocaldError.from(fault).problems,
      )
      throw toUsedError(error, name, before)
    })
    const { line, removed: toml } = found
    return { removed: { file, line, toml, warnings }, write: () => writeProjectFile(this.#file, text) }
  }

  #unknown(name: string): LocaldError {
    const { file, present } = this.#file
    if (present === undefined)
      return new LocaldError('USAGE', `there is no ${file}`, {
        hint: 'Run `locald init` to write it with the services that are inferred.',
      })
    const near = closest(name, this.names)
    const known = this.names.length === 0 ? 'It has none.' : `It has ${this.names.join(', ')}.`
    return new LocaldError('UNKNOWN_SERVICE', `no service '${name}' in ${file}`, {
      hint: near === undefined ? known : `Did you mean '${near}'?`,
    })
  }

  #describe(name: string): string {
    const { file, present } = this.#file
    if (present === undefined) return this.#inferredFrom ?? file
    const line = lineOfPath(parseDocument(this.#text), ['services', name])
    return line === undefined ? file : `${file}:${line}`
  }

  /** Throws all problems of the configuration with this text. A variable that is not set is a warning. */
  async #check(draft: string): Promise<Added['warnings']> {
    const body: ConfigBody = { path: this.folder, env: callerEnvironment(), draft: draft.replace(/^\uFEFF/, '') }
    const { unresolved, warnings = [] } = await this.#daemon.post<ConfigAnswer>('/v1/config', body)
    if (unresolved === undefined) return warnings
    return [{ message: unresolved.message, hint: unresolved.hint ?? 'Run `locald config check`.' }]
  }
}

/** Makes the file of a folder without one: with the services that are inferred, so that none of them is lost. */
async function inferText(daemon: Client, folder: string): Promise<{ text: string; from: string | undefined }> {
  const name = defaultName(folder)
  try {
    const inferred = await daemon.get<InferredAnswer>('/v1/projects/inferred', { path: folder })
    return { text: formatInferred(name, inferred), from: inferred.file }
  } catch (error) {
    if (!LocaldError.is(error) || error.code !== 'CONFIG_NOT_FOUND') throw error
    return { text: formatToml([], [{ header: ['project'], entries: [{ key: 'name', value: name }] }]), from: undefined }
  }
}

/** Returns the text with a project's name: a file that is empty so far has none. */
function withProjectName(text: string, file: string, folder: string): string | undefined {
  const project = own(dataOf(file, text), 'project')
  if (isTable(project) && own(project, 'name') !== undefined) return text
  return applyEdit(text, { kind: 'set', path: ['project', 'name'], value: defaultName(folder) })
}

function dataOf(file: string, text: string): Table {
  const parsed = parseToml(text.replace(/^\uFEFF/, ''))
  if ('data' in parsed) return parsed.data
  const { line, message } = parsed.fault
  throw new LocaldError('CONFIG_INVALID', `${file}:${line}: ${message}`, {
    hint: 'Correct the file first.',
    problems: [{ file, line, message }],
  })
}
