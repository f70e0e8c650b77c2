import type { ConfigAnswer } from '../../kernel/protocol.ts'
import { toCompose } from './compose.ts'
import { toKubernetes } from './kubernetes.ts'
import { type Note, Notes } from './notes.ts'
import { toProcfile } from './procfile.ts'
import { type Project, readProject } from './project.ts'

export type { Note } from './notes.ts'

/** What a project is written as, by the name of the format. */
const formats = { compose: toCompose, procfile: toProcfile, kubernetes: toKubernetes } as const satisfies Readonly<
  Record<string, (project: Project, notes: Notes) => string | Promise<string>>
>

export type Format = keyof typeof formats

/** Writes a project in another format. Has no value of a secret, and a note for all that differs. */
export async function exportAs(
  format: Format,
  answer: ConfigAnswer,
): Promise<{ readonly text: string; readonly notes: readonly Note[] }> {
  const notes = new Notes(answer.values)
  const text = await formats[format](await readProject(answer), notes)
  return { text, notes: notes.list }
}
