import { join } from 'node:path'
import { type Places, readLayer } from './layers.ts'
import { Problems } from './problems.ts'
import { checkDocument } from './project-file.ts'
import { isTable, own, type Table } from './table.ts'

/** locald's own settings: the tables of `config.toml` that are not a layer of projects. Empty where absent. */
export interface Settings {
  /** `[plugins.<name>]`: options of plugins, which check them themselves. */
  readonly plugins: Table
  readonly proxy: Table
  readonly ui: Table
}

/** Reads `config.toml`. Throws as `loadProject` does when it is wrong; a file that is not there is empty. */
export async function readSettings(places: Places): Promise<Settings> {
  const problems = new Problems()
  const read = await readLayer(join(places.configDir, 'config.toml'), 'settings', undefined, problems)
  const document = read === 'faulty' ? undefined : read
  if (document !== undefined) {
    problems.within([document])
    checkDocument(document, problems)
  }
  if (!problems.none) throw await problems.error(places.configDir, places.home)
  const table = (key: string): Table => {
    const value = document === undefined ? undefined : own(document.data, key)
    return isTable(value) ? value : {}
  }
  return { plugins: table('plugins'), proxy: table('proxy'), ui: table('ui') }
}
