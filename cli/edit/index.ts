/** Edits of `locald.toml`: a part of the bundle of its own, as its parsers are large. */
export { type Added, EditedProject, type NewService } from './project.ts'
