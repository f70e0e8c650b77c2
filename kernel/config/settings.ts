import { join } from 'node:path'
import { Problems } from './document/problems.ts'
import { isTable, own, type Table } from './document/table.ts'
import { type Places, readLayer } from './sources/layers.ts'
import { checkDocument } from './tables/project.ts'

/** locald's own settings: the tables of `config.toml` that are not a layer of projects. Empty where absent. */
export interface Settings {
  /** `[plugins.<name>]`: options of plugins, which check them themselves. */
  readonly plugins: Table
  /** Options of plugins that have a top-level table, by its name. */
  readonly tables: Readonly<Record<string, Table>>
}

/**
 * Reads `config.toml`. Throws as `loadProject` does when it is wrong; a file that is not there is empty.
 * @param names top-level tables of plugins
 */
export async function readSettings(places: Places, names: readonly string[]): Promise<Settings> {
  const problems = new Problems()
  const read = await readLayer(join(places.configDir, 'config.toml'), 'settings', undefined, problems)
  const document = read === 'faulty' ? undefined : read
  if (document !== undefined) {
    problems.setDocuments([document])
    checkDocument(document, problems, { settings: names })
  }
  if (!problems.isEmpty) throw await problems.error(places.configDir, places.home)
  const table = (key: string): Table => {
    const value = document === undefined ? undefined : own(document.data, key)
    return isTable(value) ? value : {}
  }
  return { plugins: table('plugins'), tables: Object.fromEntries(names.map(name => [name, table(name)])) }
}
