import { resolve } from 'node:path'
import { isTable, own, type Table } from '../../kernel/config/document/table.ts'
import { isForeignKey, ownName } from '../../kernel/config/references/foreign-key.ts'
import type { ConfigAnswer, ConfigValue } from '../../kernel/protocol.ts'
import { readVariables, type Variables } from './variables.ts'

/** When a dependency counts as met. */
export type Condition = 'started' | 'ready' | 'completed'

/** A service as it is configured. */
export interface Service {
  readonly name: string
  readonly type: string
  /** The merged table of the service, defaults included. */
  readonly table: Table
  readonly dependsOn: ReadonlyMap<string, Condition>
  /** What it depends on in other projects, as `PROJECT:SERVICE`. */
  readonly foreign: readonly string[]
  /** Files of variables that exist, weakest first, relative to the project. */
  readonly envFiles: readonly string[]
  /** What these files set. */
  readonly fromFiles: Variables
}

/** A project as it is configured: what every export reads. */
export interface Project {
  readonly name: string
  readonly domain: string
  readonly root: string
  readonly env: Table
  readonly services: readonly Service[]
  readonly values: readonly ConfigValue[]
}

/** Makes the project of the answer to `POST /v1/config`. Reads the files of variables. */
export async function readProject({ path, values: given }: ConfigAnswer): Promise<Project> {
  const values = given.map(value => (value.file === null ? value : { ...value, file: resolve(path, value.file) }))
  const tree = treeOf(values)
  const tables = tableAt(tree, 'services')
  const { name, domain } = tableAt(tree, 'project')
  const names = Object.keys(tables)
  return {
    name: String(name),
    domain: String(domain),
    root: path,
    env: tableAt(tree, 'env'),
    services: await Promise.all(
      names.map(service => readService({ root: path, name: String(name) }, service, tableAt(tables, service))),
    ),
    values,
  }
}

async function readService(project: Pick<Project, 'root' | 'name'>, name: string, table: Table): Promise<Service> {
  const { root } = project
  const files = ['.env', ...textsOf(table['env_file'])]
  const read = await Promise.all(files.map(file => readVariables(root, file)))
  const all = dependenciesOf(table['depends_on']).map(
    ([other, condition]) => [ownName(other, project.name), condition] as const,
  )
  return {
    name,
    type: typeof table['type'] === 'string' ? table['type'] : 'exec',
    table,
    dependsOn: new Map(all.filter(([other]) => !isForeignKey(other))),
    foreign: all.flatMap(([other]) => (isForeignKey(other) ? [other] : [])),
    envFiles: files.filter((_, index) => read[index] !== undefined),
    fromFiles: new Map(read.flatMap(variables => [...(variables ?? [])])),
  }
}

function dependenciesOf(value: unknown): readonly (readonly [string, Condition])[] {
  if (!isTable(value)) return textsOf(value).map(name => [name, 'ready'] as const)
  return Object.entries(value).map(([name, condition]) => [
    name,
    condition === 'started' || condition === 'completed' ? condition : 'ready',
  ])
}

/** Whether a file sets a key, or one below it. */
export function isWritten({ values }: Project, key: string): boolean {
  return values.some(value => value.file !== null && (value.key === key || value.key.startsWith(`${key}.`)))
}

/** Returns a text as a list of one, a list of texts as it is. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

/** Returns the table of a key; an empty one where there is none. */
export function tableAt(table: Table, key: string): Table {
  const value = own(table, key)
  return isTable(value) ? value : {}
}

/** A table that is being filled. */
type Tree = Map<string, unknown>

function treeOf(values: readonly ConfigValue[]): Table {
  const root: Tree = new Map()
  for (const { key, value } of values) {
    const path = pathOf(key)
    let tree = root
    for (const part of path.slice(0, -1)) {
      const inner = tree.get(part)
      const next: Tree = inner instanceof Map ? inner : new Map()
      tree.set(part, next)
      tree = next
    }
    tree.set(path.at(-1) ?? '', value)
  }
  return toTable(root)
}

function toTable(tree: Tree): Table {
  return Object.fromEntries([...tree].map(([key, value]) => [key, value instanceof Map ? toTable(value) : value]))
}

/** Splits a dotted key: `env."A B"`. */
function pathOf(key: string): readonly string[] {
  return [...key.matchAll(/"(?:[^"\\]|\\.)*"|[^.]+/g)].map(([part]) =>
    part.startsWith('"') ? String(JSON.parse(part)) : part,
  )
}
