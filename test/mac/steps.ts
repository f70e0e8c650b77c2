import type { Step } from './bench.ts'
import { facts } from './facts.ts'
import { files } from './files.ts'
import { installed } from './installed.ts'
import { runs } from './runs.ts'
import { watched } from './watched.ts'

/** All that is to be seen on a Mac, in the order of a run: what changes the machine comes last. */
export const steps: readonly Step[] = [...facts, ...runs, ...files, ...installed, ...watched]
