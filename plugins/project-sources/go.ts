import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { foldersIn } from './folders.ts'

/** Seconds that the first compilation may take, with the download of its packages. */
export const compileSeconds = 300

/** Source files of a package that are read to find its name. */
const fileLimit = 20

/** Names of the main one of several. */
export const mainNames = ['server', 'web', 'api', 'app', 'http', 'serve']

/** Folders of a module that are looked at. */
const folderLimit = 50
/** Names of folders that need no quotes. */
const plainName = /^[\w.-]+$/

/**
 * Go: the main package at the root of the module, else the only one, or the one with the name of a server, in its folders
 * and in cmd/.
 */
export const go: ProjectDetector = {
  files: ['go.mod', 'cmd'],
  async detect(folder) {
    const text = await folder.read('go.mod')
    if (text === undefined) return undefined
    if (await isMain(folder, '.')) return { file: 'go.mod', services: { web: run('.') } }
    const found = await findMains(folder)
    const [, module] = /^module\s+(?:\S*\/)?([\w.-]+)/m.exec(text) ?? []
    const names = [...mainNames, module, folder.path.slice(folder.path.lastIndexOf('/') + 1)]
    const main =
      found.length === 1 ? found[0] : names.map(name => found.find(dir => dir.split('/').at(-1) === name)).find(Boolean)
    if (main !== undefined) return { file: 'go.mod', services: { web: run(`./${main}`) }, ...noteOf(found, main) }
    const reason =
      found.length === 0
        ? 'go.mod has no main package at its root, in its folders or in cmd/'
        : `go.mod has several main packages: ${found.join(', ')}`
    return { reason, example: { web: run(`./${found[0] ?? 'cmd/server'}`) } }
  },
}

function noteOf(found: readonly string[], main: string) {
  const others = found.filter(each => each !== main)
  return others.length === 0
    ? {}
    : { notes: [`${main} is one of several main packages; the others: ${others.join(', ')}`] }
}

/** Returns the folders with a main package: cmd/ and what is in it, else those of the module. */
async function findMains(folder: ProjectFolder): Promise<readonly string[]> {
  const inCmd = ['cmd', ...(await foldersIn(folder, 'cmd', plainName)).map(name => `cmd/${name}`)]
  for (const dirs of [inCmd, await foldersIn(folder, '.', plainName)]) {
    const mains: string[] = []
    for (const dir of dirs.slice(0, folderLimit)) if (await isMain(folder, dir)) mains.push(dir)
    if (mains.length > 0) return mains
  }
  return []
}

function run(path: string): Readonly<Record<string, unknown>> {
  return { command: `go run ${path}`, ready_timeout: compileSeconds }
}

async function isMain(folder: ProjectFolder, dir: string): Promise<boolean> {
  const files = (await folder.list(dir)).filter(
    ({ name, kind }) => kind === 'file' && name.endsWith('.go') && !name.endsWith('_test.go'),
  )
  for (const { name } of files.slice(0, fileLimit)) {
    const text = await folder.read(`${dir}/${name}`)
    // A generator that a package keeps beside it is none of its files.
    if (text === undefined || /^\/\/go:build ignore\b/m.test(text)) continue
    return /^package main\b/m.test(text)
  }
  return false
}
