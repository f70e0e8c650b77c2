import type { Detection, ProjectDetector, ServiceTables, Unsuitable } from '../../kernel/contract/plugin.ts'
import { isBuild, isLocald } from './command-line.ts'

/** Tasks that start what is developed, the best one first. */
const taskNames = ['dev', 'develop', 'serve', 'server', 'start', 'run', 'up', 'watch']

/** Makefile: a target that is named like one that serves. */
export const makefile = taskFile(['Makefile', 'makefile', 'GNUmakefile'], 'make', text =>
  readBlocks(text, /^([\w-]+)[ \t]*:(?![:=])/),
)

/** just: a recipe that is named so, without parameters. */
export const justfile = taskFile(['justfile', 'Justfile', '.justfile'], 'just', text =>
  readBlocks(text, /^@?([\w-]+)[ \t]*:(?!=)/),
)

/** Task: a task that is named so. */
export const taskfile = taskFile(['Taskfile.yml', 'Taskfile.yaml', 'taskfile.yml', 'taskfile.yaml'], 'task', text => {
  const lines = text.split(/\r?\n/)
  const own = lines.slice(lines.findIndex(line => /^tasks:\s*$/.test(line)) + 1)
  const end = own.findIndex(line => /^\w/.test(line))
  const [, indent = '  '] = /^( +)\S/.exec(own[0] ?? '') ?? []
  const inside = (end < 0 ? own : own.slice(0, end)).map(line => line.replace(indent, ''))
  return readBlocks(inside.join('\n'), /^([\w-]+):/)
})

/** Scripts that projects have for it. */
export const scriptFile: ProjectDetector = {
  files: ['bin', 'script', 'scripts', 'dev.sh'],
  async detect(folder) {
    for (const file of ['bin/dev', 'script/server', 'scripts/dev.sh', 'dev.sh']) {
      const text = await folder.read(file)
      if (text === undefined) continue
      const [, shell = 'sh'] = /^#!\s*(?:\/usr\/bin\/env\s+)?(?:\/\S*\/)?([\w.]+)/.exec(text) ?? []
      return detectionOf({ file, command: `${shell} ${file}`, name: file }, text)
    }
    return undefined
  },
}

/** Makes a detector of the first of these files; `read` returns the lines of each task by its name. */
function taskFile(
  files: readonly string[],
  program: string,
  read: (text: string) => ReadonlyMap<string, string>,
): ProjectDetector {
  return {
    files,
    async detect(folder) {
      for (const file of files) {
        const text = await folder.read(file)
        if (text === undefined) continue
        const tasks = read(text)
        const name = taskNames.find(each => tasks.has(each))
        if (name === undefined) return undefined
        return detectionOf({ file, command: `${program} ${name}`, name }, tasks.get(name) ?? '')
      }
      return undefined
    },
  }
}

interface Task {
  readonly file: string
  readonly command: string
  readonly name: string
}

function detectionOf({ file, command: text, name }: Task, body: string): Detection | Unsuitable {
  const example = command(text)
  const where = name === file ? file : `\`${name}\` of ${file}`
  if (isLocald(body.replace(/^[ \t]*@/gm, '')))
    return { reason: `${where} starts locald`, example: command('node server.js') }
  // It returns at once, or its containers are in a compose file.
  if (/\b(?:docker|podman)\b/.test(body)) return { reason: `${where} starts containers`, example }
  if (body.trim() !== '' && isBuild(body.replace(/^[ \t]*@/gm, ''))) return { reason: `${where} only builds`, example }
  return { file, services: example }
}

function command(text: string): ServiceTables {
  return { web: { command: text } }
}

/** Reads blocks that begin with a line that names them, with the indented lines that follow. */
function readBlocks(text: string, head: RegExp): ReadonlyMap<string, string> {
  const blocks = new Map<string, string>()
  let name: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const [, found] = head.exec(line) ?? []
    if (found !== undefined) {
      name = found
      blocks.set(found, blocks.get(found) ?? '')
    } else if (name !== undefined && /^\s/.test(line)) blocks.set(name, `${blocks.get(name)}${line.trim()}\n`)
    else if (line.trim() !== '') name = undefined
  }
  return blocks
}
