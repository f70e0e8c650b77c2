import { join } from 'node:path'
import { exists } from '../../system/stat.ts'

/** The command that installs a project's packages, by its lock file. */
const locks = [
  ['uv.lock', 'uv sync'],
  ['poetry.lock', 'poetry install'],
  ['pdm.lock', 'pdm install'],
  ['Pipfile.lock', 'pipenv install'],
  ['Pipfile', 'pipenv install'],
] as const
const lists = [
  ['requirements.txt', '-r requirements.txt'],
  ['pyproject.toml', '-e .'],
] as const
/** Servers whose package has the name of its module: a project may use one without naming it. */
const servers: readonly string[] = ['uvicorn', 'hypercorn', 'gunicorn', 'flask', 'streamlit', 'mkdocs']

/** Where a module of Python was not found. */
export interface PythonModule {
  /** Its first part. */
  readonly name: string
  /** Folders from that of the service up to that of the project. */
  readonly folders: readonly string[]
  /** Whether the project has a virtual environment made for it alone, as nothing else says which Python runs. */
  readonly isInferred: boolean
  /** Reads a file; the result is empty where there is none. */
  readonly read: (file: string) => Promise<string>
}

/** Returns a command that installs a module; undefined where that is not known, or the module is the project's own. */
export async function pythonInstaller({ name, folders, isInferred, read }: PythonModule): Promise<string | undefined> {
  for (const folder of folders) {
    if ((await exists(join(folder, `${name}.py`))) || (await exists(join(folder, name)))) return undefined
    for (const [file, command] of locks) if (await exists(join(folder, file))) return `run \`${command}\` in ${folder}`
    for (const [file, argument] of lists) {
      const isNamed = hasWord(await read(join(folder, file)), name)
      if (!isNamed && (servers.includes(name) || !(await exists(join(folder, file))))) continue
      return `run \`${await pip(folder, isInferred)} install ${argument}\` in ${folder}`
    }
  }
  const [folder = '.'] = folders
  // Any other name may be that of a package of someone else.
  return servers.includes(name) ? `run \`${await pip(folder, isInferred)} install ${name}\` in ${folder}` : undefined
}

function hasWord(text: string, name: string): boolean {
  const word = name.replaceAll('_', '[-_]')
  return new RegExp(`(?:^|["'\\s])${word}(?=$|["'\\s=<>~!\\[;])`, 'im').test(text)
}

async function pip(folder: string, isInferred: boolean): Promise<string> {
  for (const environment of ['.venv', 'venv', 'env']) {
    if (!(await exists(join(folder, environment, 'bin/python')))) continue
    const hasPip = await exists(join(folder, environment, 'bin/pip'))
    return hasPip ? `${environment}/bin/pip` : `uv pip`
  }
  return isInferred ? 'python3 -m venv .venv && .venv/bin/pip' : 'python3 -m pip'
}
