import type { Detection, ProjectDetector, ProjectFolder, Unsuitable } from '../../kernel/contract/plugin.ts'
import { isBuild, isLocald, isServer } from './command-line.ts'
import { servedBy } from './other-files.ts'
import { readBlocks, type TaskFile, textOfTask } from './task-blocks.ts'

/** Tasks that start what is developed, the best one first. */
const taskNames = ['dev', 'serve', 'start']
/** Also a name for that, and as often one for a program that does something and exits. */
const unsureName = 'run'

/** Where tasks are: names of files, the first one counts, and how its tasks are read. */
interface Runner {
  readonly files: readonly string[]
  readonly program: string
  read(text: string): TaskFile
}

const make: Runner = {
  files: ['Makefile', 'makefile', 'GNUmakefile'],
  program: 'make',
  read: text => readBlocks(withVariables(text), /^([\w-]+)[ \t]*:(?![:=])(.*)/),
}

const just: Runner = {
  files: ['justfile', 'Justfile', '.justfile'],
  program: 'just',
  // Without parameters.
  read: text => readBlocks(text, /^@?([\w-]+)[ \t]*:(?!=)(.*)/),
}

const task: Runner = {
  files: ['Taskfile.yml', 'Taskfile.yaml', 'taskfile.yml', 'taskfile.yaml'],
  program: 'task',
  read(text) {
    const lines = text.split(/\r?\n/)
    const own = lines.slice(lines.findIndex(line => /^tasks:\s*$/.test(line)) + 1)
    const end = own.findIndex(line => /^\w/.test(line))
    const [, indent = '  '] = /^( +)\S/.exec(own[0] ?? '') ?? []
    const inside = (end < 0 ? own : own.slice(0, end)).map(line => line.replace(indent, ''))
    return readBlocks(inside.join('\n'), /^([\w-]+):(.*)/)
  },
}

/** A task of a Makefile, a justfile or a Taskfile.yml that is named like one that serves. */
export const tasks: readonly ProjectDetector[] = [make, just, task].map(runner => ({
  files: runner.files,
  async detect(folder) {
    const { file, blocks } = (await findTasks(folder, runner)) ?? {}
    const name = [...taskNames, unsureName].find(each => blocks?.has(each))
    if (file === undefined || blocks === undefined || name === undefined) return undefined
    const body = textOfTask(blocks, name)
    const [where, command] = [`\`${name}\` of ${file}`, `${runner.program} ${name}`]
    const fault = faultOf(where, command, body)
    if (fault !== undefined) return fault
    const isSure = isServer(body) || (name !== unsureName && !(await isNative(folder)))
    return isSure ? detectionOf(file, command) : { reason: `${where} may serve or not`, example: servedBy(command) }
  },
}))

/** A file of tasks without such a one. */
export const otherTasks: readonly ProjectDetector[] = [make, just, task].map(runner => ({
  files: runner.files,
  async detect(folder) {
    const { file, blocks } = (await findTasks(folder, runner)) ?? {}
    if (blocks === undefined || [...taskNames, unsureName].some(name => blocks.has(name))) return undefined
    const name = [...blocks.keys()].find(each => /serve|dev|start|run|up|watch/.test(each)) ?? 'dev'
    return { reason: `${file} does not say which command serves`, example: servedBy(`${runner.program} ${name}`) }
  },
}))

async function findTasks(folder: ProjectFolder, { files, read }: Runner) {
  for (const file of files) {
    const text = await folder.read(file)
    if (text !== undefined) return { file, blocks: read(text) }
  }
  return undefined
}

/** Scripts that projects have for it. */
export const scriptFile: ProjectDetector = {
  files: ['bin', 'script', 'scripts', 'dev.sh'],
  async detect(folder) {
    for (const file of ['bin/dev', 'script/server', 'scripts/dev.sh', 'dev.sh']) {
      const text = await folder.read(file)
      if (text === undefined) continue
      const [, shell = 'sh'] = /^#!\s*(?:\/usr\/bin\/env\s+)?(?:\/\S*\/)?([\w.]+)/.exec(text) ?? []
      const command = `${shell} ${file}`
      return faultOf(file, command, text) ?? detectionOf(file, command)
    }
    return undefined
  },
}

/** Returns why a task does not do. */
function faultOf(where: string, command: string, body: string): Unsuitable | undefined {
  if (isLocald(body)) return { reason: `${where} starts locald`, example: servedBy('node server.js') }
  const example = servedBy(command)
  // It returns at once, or its containers are in a compose file.
  if (/\b(?:docker|podman)\b/.test(body)) return { reason: `${where} starts containers`, example }
  if (body.trim() === '' || isServer(body)) return undefined
  const lines = body.split('\n').filter(line => !isInstallation(line))
  if (lines.join('').trim() === '') return { reason: `${where} only installs`, example }
  return isBuild(lines.join('\n')) ? { reason: `${where} only builds`, example } : undefined
}

/** Returns whether a line only puts packages into place: in many projects `make dev` does nothing else. */
function isInstallation(line: string): boolean {
  return (
    /(?:^|[\s/])(?:pip[\d.]*|npm|pnpm|yarn|bun|poetry|pdm|pipenv|bundle|composer|pre-commit|gem|cargo|go)\s+(?:install|i|ci)\b/.test(
      line,
    ) || /(?:^|[\s/])(?:uv (?:sync|pip|venv)|\S+ -m venv|virtualenv|go mod|mix deps\.get)\b/.test(line)
  )
}

/** Returns whether a folder has sources of a program in C, C++ or Fortran: its `make start` may start anything. */
async function isNative(folder: ProjectFolder): Promise<boolean> {
  const names = await Promise.all(['.', 'src', 'source'].map(each => folder.list(each)))
  return names
    .flat()
    .some(({ name }) =>
      /\.(?:c|cc|cpp|cxx|h|hpp|s|asm|f90|ino)$|^(?:CMakeLists\.txt|configure\.ac|meson\.build)$/i.test(name),
    )
}

function detectionOf(file: string, command: string): Detection {
  return { file, services: servedBy(command) }
}

/** Replaces variables of a Makefile that it sets itself; `$(PORT)` is left for `make` to take from the environment. */
function withVariables(text: string): string {
  const assigned = [...text.matchAll(/^([A-Za-z_]\w*)[ \t]*[:?]?:?=[ \t]*([^\n#$]*)$/gm)]
  const values = new Map(assigned.map(([, name = '', value = '']) => [name, value.trim()]))
  return text
    .replace(/\$[({]([A-Za-z_]\w*)[)}]/g, (whole, name) => (name === 'PORT' ? '$PORT' : (values.get(name) ?? whole)))
    .replaceAll('$$', '$')
}
