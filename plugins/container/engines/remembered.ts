import { readFileSync, renameSync } from 'node:fs'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { systemCode } from '../../../kernel/errors.ts'
import { writeAtomic } from '../../lib/files.ts'
import { fieldOf, parseJson, textOf } from '../../lib/json.ts'

/** Which engine has a project's containers and volumes. */
export interface RememberedEngine {
  readonly engine: string
  /** `locald container engine NAME` set it: it counts more than settings and variables. */
  readonly isSet: boolean
  /** Engines that it had earlier: volumes of it may still be there. */
  readonly earlier?: readonly string[]
}

/**
 * The engines of projects by the projects' folders, on disk: with another engine, a project would find none of its
 * volumes.
 */
export class RememberedEngines {
  readonly #file: string
  readonly #log: Pick<Log, 'warn'>
  #projects: Map<string, RememberedEngine> | undefined

  constructor(file: string, log: Pick<Log, 'warn'>) {
    this.#file = file
    this.#log = log
  }

  get(path: string): RememberedEngine | undefined {
    return this.#read().get(path)
  }

  /** Returns the folders of all projects with an engine. */
  paths(): readonly string[] {
    return [...this.#read().keys()]
  }

  set(path: string, { engine, isSet }: RememberedEngine): void {
    const before = this.#read().get(path)
    if (before?.engine === engine && before.isSet === isSet) return
    const names = before === undefined ? [] : [...(before.earlier ?? []), before.engine]
    const earlier = [...new Set(names)].filter(name => name !== engine)
    const entry = { engine, isSet, ...(earlier.length === 0 ? {} : { earlier }) }
    this.#write(new Map(this.#read()).set(path, entry))
  }

  forget(path: string): void {
    if (!this.#read().has(path)) return
    const projects = new Map(this.#read())
    projects.delete(path)
    this.#write(projects)
  }

  #write(projects: Map<string, RememberedEngine>): void {
    writeAtomic(this.#file, `${JSON.stringify({ projects: Object.fromEntries(projects) }, null, 2)}\n`)
    this.#projects = projects
  }

  #read(): Map<string, RememberedEngine> {
    this.#projects ??= this.#readFile()
    return this.#projects
  }

  #readFile(): Map<string, RememberedEngine> {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return new Map()
      throw error
    }
    const projects = fieldOf(parseJson(text), 'projects')
    if (typeof projects !== 'object' || projects === null) return this.#keepCorrupt()
    return new Map(
      Object.entries(projects).flatMap(([path, value]) => {
        const engine = textOf(value, 'engine')
        const names = fieldOf(value, 'earlier')
        const earlier = Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string') : []
        const isSet = fieldOf(value, 'isSet') === true
        const entry = { isSet, ...(earlier.length === 0 ? {} : { earlier }) }
        return engine === undefined ? [] : [[path, { engine, ...entry }] as const]
      }),
    )
  }

  #keepCorrupt(): Map<string, RememberedEngine> {
    const kept = `${this.#file}.damaged-${Date.now()}`
    renameSync(this.#file, kept)
    this.#log.warn(`the list of projects' engines is corrupt: kept as ${kept}; engines are chosen again`)
    return new Map()
  }
}
