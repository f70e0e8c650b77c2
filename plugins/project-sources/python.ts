import type { ProjectFolder } from '../../kernel/contract/plugin.ts'

/** How a project's Python is run: that of its virtual environment, or the tool that manages this. */
export interface Python {
  readonly command: string
  /** Returns whether a package is installed, or locked to be. */
  has(name: string): Promise<boolean>
}

/** Folders of virtual environments, relative to the project. */
const environments = ['.venv', 'venv', 'env']

/** Tools by their lock files. Each runs a command with the packages of the project. */
const tools: readonly (readonly [lock: string, command: string])[] = [
  ['uv.lock', 'uv run python'],
  ['poetry.lock', 'poetry run python'],
  ['pdm.lock', 'pdm run python'],
  ['Pipfile.lock', 'pipenv run python'],
  ['Pipfile', 'pipenv run python'],
]

/** Releases of Python 3 that may be in a virtual environment, which may be a link out of the project. */
const versions = Array.from({ length: 12 }, (_, index) => index + 8)

/** Files that Python detectors read besides those of the framework. */
export const pythonFiles = [...environments, ...tools.map(([lock]) => lock), 'requirements.txt']

/** Finds the project's Python: a virtual environment in it, else the tool of a lock file, else `python3`. */
export async function findPython(folder: ProjectFolder): Promise<Python> {
  for (const environment of environments) {
    if (!(await folder.has(`${environment}/bin/python`))) continue
    return {
      command: `${environment}/bin/python`,
      async has(name) {
        for (const version of versions)
          if (await folder.has(`${environment}/lib/python3.${version}/site-packages/${moduleOf(name)}`)) return true
        return false
      },
    }
  }
  for (const [lock, command] of tools) {
    if (!(await folder.has(lock))) continue
    return { command, has: async name => hasName(await folder.read(lock).catch(() => undefined), name) }
  }
  return { command: 'python3', has: async name => hasName(await folder.read('requirements.txt'), name) }
}

function moduleOf(name: string): string {
  return name.replaceAll('-', '_')
}

function hasName(text: string | undefined, name: string): boolean {
  return text !== undefined && new RegExp(`(?:^|["'\\s])${name}(?=$|["'\\s=<>~!\\[;])`, 'm').test(text)
}
