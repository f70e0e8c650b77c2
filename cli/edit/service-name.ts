import { basename } from 'node:path'
import { labelOf } from '../../kernel/config/names.ts'
import type { Entry } from '../init/toml.ts'

/** Programs that run a script or another program, named by a later word. */
const runners =
  /^(?:npm|npx|pnpm|pnpx|yarn|bun|bunx|deno|node|tsx|python[\d.]*|uv|poetry|ruby|bundle|php|go|cargo|make)$/
/** Words between such a program and what it runs. */
const between = /^(?:run|run-script|exec|dlx|x|task|-.*)$/
/** Flags before a program's text, which makes no name. */
const inline = /^(?:-e|-c|--eval)$/

/**
 * Returns a free name for the service of a command: `web` if it may serve and the name is free, else after the script or
 * program.
 */
export function nameService(argv: readonly string[], names: readonly string[], isWorker: boolean): string {
  const name = isWorker || names.includes('web') ? labelOf(subjectOf(argv), 'service') : 'web'
  return freeName(name, names)
}

/** Returns a name for a service of a type: after its image, `db` for a database, else the type. */
export function nameOfType(type: string, entries: readonly Entry[]): string {
  const image = entries.find(({ key }) => key === 'image')?.value
  if (typeof image === 'string') return labelOf(basename(image).replace(/[:@].*$/, ''), type)
  return type === 'postgres' ? 'db' : labelOf(type)
}

/** Returns a name that is free: with a number where it exists. */
export function freeName(name: string, names: readonly string[]): string {
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name.slice(0, 60)}-${number}`
    if (!names.includes(numbered)) return numbered
  }
}

/** Returns what a command runs: `worker` of `npm run worker`, `server` of `node src/server.js`. */
function subjectOf(argv: readonly string[]): string {
  const [text = ''] = argv
  const words = argv.length === 1 ? text.split(/\s+/) : argv
  const rest = words.filter(word => !/^\w+=/.test(word))
  const program = basename(rest[0] ?? '')
  const isNamed = runners.test(program) && !inline.test(rest[1] ?? '')
  const subject = isNamed ? rest.slice(1).find(word => !between.test(word)) : undefined
  return basename(subject ?? program).replace(/\.\w+$/, '')
}
