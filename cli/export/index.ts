import type { ConfigAnswer } from '../../kernel/protocol.ts'
import { toCompose } from './compose.ts'
import { toKubernetes } from './kubernetes.ts'
import { type Note, Notes } from './notes.ts'
import { toProcfile } from './procfile.ts'
import { type Project, readProject } from './project.ts'
import { toSystemd } from './systemd.ts'

export type { Note } from './notes.ts'

/** A file of a format that has several. */
export interface OutputFile {
  readonly name: string
  readonly text: string
}

type Output = string | readonly OutputFile[]

/** What a project is written as, by the name of the format. */
const formats = {
  compose: toCompose,
  procfile: toProcfile,
  kubernetes: toKubernetes,
  systemd: toSystemd,
} as const satisfies Readonly<Record<string, (project: Project, notes: Notes) => Output | Promise<Output>>>

export type Format = keyof typeof formats

/** Writes a project in another format. Has no value of a secret, and a note for all that differs. */
export async function exportAs(
  format: Format,
  answer: ConfigAnswer,
): Promise<{ readonly output: Output; readonly notes: readonly Note[] }> {
  const notes = new Notes(answer.values)
  const output = await formats[format](await readProject(answer), notes)
  return { output, notes: notes.list }
}
