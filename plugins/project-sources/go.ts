import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'

/** Seconds that the first compilation may take. */
export const compileSeconds = 120

/** Source files of a package that are read to find its name. */
const fileLimit = 20

/** Go: the main package at the root of the module, else the only one in cmd/. */
export const go: ProjectDetector = {
  files: ['go.mod', 'cmd'],
  async detect(folder) {
    if (!(await folder.has('go.mod'))) return undefined
    if (await isMain(folder, '.')) return { file: 'go.mod', services: { web: run('.') } }
    const commands: string[] = []
    for (const { name, kind } of await folder.list('cmd'))
      if (kind === 'folder' && /^[\w.-]+$/.test(name) && (await isMain(folder, `cmd/${name}`))) commands.push(name)
    const [only, ...others] = commands
    if (only !== undefined && others.length === 0) return { file: 'go.mod', services: { web: run(`./cmd/${only}`) } }
    const reason =
      only === undefined
        ? 'go.mod has no main package at its root or in cmd/'
        : `go.mod has several main packages: ${commands.map(name => `cmd/${name}`).join(', ')}`
    return { reason, example: { web: run(`./cmd/${only ?? 'server'}`) } }
  },
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
