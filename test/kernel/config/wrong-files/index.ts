import { commands } from './commands.ts'
import { environment } from './environment.ts'
import { options } from './options.ts'
import { project } from './project.ts'
import { services } from './services.ts'
import type { WrongFile } from './wrong-file.ts'

export { head, web } from './wrong-file.ts'

/** Files with one mistake each, or more, by the table that it is in. */
export const wrongFiles: readonly WrongFile[] = [...options, ...services, ...commands, ...environment, ...project]
