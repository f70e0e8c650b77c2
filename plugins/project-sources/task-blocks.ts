/** One task of a file of tasks. */
interface TaskBlock {
  /** Its lines, each one command where the file has one on a line. */
  readonly lines: readonly string[]
  /** Words of its first line after its name: what it needs, in a Makefile and a justfile. */
  readonly needs: readonly string[]
}

/** Tasks by their names. */
export type TaskFile = ReadonlyMap<string, TaskBlock>

/** What a line has before its command: `@` and `-` of make and just, a list of Task. */
const before = /^(?:[@+]|-(?! )|- (?:cmd:)?|cmds?:)\s*/
/** Keys of Task that have no command. */
const keys = /^(?:desc|summary|deps|dir|silent|env|vars|dotenv|sources|generates|aliases|interactive|method|task):/

/** Reads blocks that begin with a line that names them, with the indented lines that follow. */
export function readBlocks(text: string, head: RegExp): TaskFile {
  const blocks = new Map<string, TaskBlock>()
  let name: string | undefined
  for (const line of text.replace(/\\\r?\n[ \t]*/g, ' ').split(/\r?\n/)) {
    const [, found, rest = ''] = head.exec(line) ?? []
    const before = blocks.get(found ?? name ?? '') ?? { lines: [], needs: [] }
    if (found !== undefined) {
      name = found
      blocks.set(found, { ...before, needs: [...before.needs, ...(rest.match(/[\w-]+/g) ?? [])] })
    } else if (name !== undefined && /^\s/.test(line)) {
      const command = commandOf(line)
      if (command !== '') blocks.set(name, { ...before, lines: [...before.lines, command] })
    } else if (line.trim() !== '') name = undefined
  }
  return blocks
}

function commandOf(line: string): string {
  const text = line.trim()
  if (keys.test(text) || text.startsWith('#')) return ''
  const rest = text.replace(before, '')
  return rest === text ? text : commandOf(rest)
}

/** Returns the commands of a task, one on a line; of what it needs where it has none itself. */
export function textOfTask(tasks: TaskFile, name: string, depth = 3): string {
  const { lines = [], needs = [] } = tasks.get(name) ?? {}
  if (lines.length > 0 || depth === 0) return lines.join('\n')
  return needs.map(each => textOfTask(tasks, each, depth - 1)).join('\n')
}
