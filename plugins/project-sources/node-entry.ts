import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { textOf } from '../lib/json.ts'
import type { Manifest } from './manifest.ts'

/** Files that people run; npm before 12 ran `server.js` for `npm start` without a script. */
const entries = [
  ...['server.js', 'server.mjs', 'server.cjs', 'app.js', 'app.mjs', 'index.js', 'index.mjs', 'main.js'],
  ...['src/server.js', 'src/index.js', 'src/app.js', 'bin/www'],
]
const listens = /\blisten\s*\(|\bserve\s*\(|\bcreateServer\s*\(/

/** The file of a package that is run. */
export interface Entry {
  readonly file: string
  /** Whether it listens, as far as its text shows; `server.js` does. */
  readonly serves: boolean
}

/** Finds the file that a package without a script is run by: its `main`, or one with a usual name. */
export async function findEntry(folder: ProjectFolder, manifest?: Manifest): Promise<Entry | undefined> {
  const main = textOf(manifest?.content, 'main')?.replace(/^\.\//, '')
  const named = main !== undefined && /^[\w./-]+\.[cm]?js$/.test(main) ? [main] : []
  let first: Entry | undefined
  for (const file of ['server.js', ...named, ...entries]) {
    const text = await folder.read(file)
    if (text === undefined) continue
    if (file === 'server.js' || listens.test(text)) return { file, serves: true }
    first ??= { file, serves: false }
  }
  return first
}

/** Node without a package.json: a file that listens. */
export const nodeProgram: ProjectDetector = {
  files: entries,
  async detect(folder) {
    if (await folder.has('package.json')) return undefined
    const entry = await findEntry(folder)
    if (entry === undefined) return undefined
    const services = { web: { command: `node ${entry.file}` } }
    // A script of a page has such a name, too.
    if (entry.serves && listens.test((await folder.read(entry.file)) ?? ''))
      return { file: entry.file, services, watched: [] }
    return undefined
  },
}
