import type { Detection, ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { fieldOf, textOf } from '../lib/json.ts'
import { parseJsoncFile } from './json-file.ts'

const files = ['deno.json', 'deno.jsonc'] as const
const entries = ['main.ts', 'server.ts', 'mod.ts', 'index.ts', 'main.js', 'src/main.ts', 'main.tsx']

/** Deno: the task `dev` or `start`, else a program that serves. */
export const deno: ProjectDetector = {
  files: [...files, ...entries],
  async detect(folder) {
    for (const file of files) {
      const text = await folder.read(file)
      if (text === undefined) continue
      const tasks = fieldOf(await parseJsoncFile(file, text), 'tasks')
      const task = ['dev', 'start'].find(
        name => textOf(tasks, name) !== undefined || textOf(tasks, name, 'command') !== undefined,
      )
      if (task !== undefined) return { file, services: { web: { command: `deno task ${task}` } } }
      const program = await findProgram(folder)
      if (program !== undefined) return program
      return {
        reason: `${file} has no task \`dev\` or \`start\``,
        example: { web: { command: 'deno run -A main.ts' } },
      }
    }
    return await findProgram(folder)
  },
}

async function findProgram(folder: ProjectFolder): Promise<Detection | undefined> {
  for (const file of entries) {
    const text = await folder.read(file)
    if (text === undefined || !/\bDeno\.serve\(/.test(text)) continue
    return { file, services: { web: { command: `deno run -A --watch ${file}` } }, watched: [] }
  }
  return undefined
}
