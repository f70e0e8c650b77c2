/** Edits of `locald.toml`: a part of the bundle of its own, as its parsers are large. */
export { type ProjectFile, readProjectFile, writeProjectFile } from './file.ts'
export { type Added, EditedProject, type NewService, type Removed } from './project.ts'
export { TypeSchema } from './service-options.ts'
