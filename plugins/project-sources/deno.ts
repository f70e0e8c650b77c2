import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { fieldOf, textOf } from '../lib/json.ts'
import { parseJsoncFile } from './json-file.ts'

const files = ['deno.json', 'deno.jsonc'] as const

/** Deno: the task `dev` or `start`. */
export const deno: ProjectDetector = {
  files,
  async detect(folder) {
    for (const file of files) {
      const text = await folder.read(file)
      if (text === undefined) continue
      const tasks = fieldOf(await parseJsoncFile(file, text), 'tasks')
      const task = ['dev', 'start'].find(
        name => textOf(tasks, name) !== undefined || textOf(tasks, name, 'command') !== undefined,
      )
      if (task !== undefined) return { file, services: { web: { command: `deno task ${task}` } } }
      return {
        reason: `${file} has no task \`dev\` or \`start\``,
        example: { web: { command: 'deno run -A main.ts' } },
      }
    }
    return undefined
  },
}
