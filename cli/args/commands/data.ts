import { verbose } from '../flags.ts'
import type { Spec } from '../spec.ts'

/** Commands on services' data. */
export const dataCommands = [
  {
    name: 'service reset',
    args: '<SERVICE>',
    group: 'data',
    about: "Delete a service's data and start it empty",
    details: 'Asks for confirmation on a terminal.',
    flags: [{ name: 'yes', short: 'y', about: 'Skip the confirmation' }, verbose],
    examples: ['locald service reset db', 'locald service reset shop:db --yes'],
  },
] as const satisfies readonly Spec<string>[]
