import { mergeErrors } from './errors.ts'
import { readFiles } from './files.ts'
import type { EnvironmentInput, EnvLayer, EnvOrigin } from './input.ts'
import { shellPart } from './shell.ts'
import { addFile, addTable, lay, originsOf, type Value } from './values.ts'

export { interpolate, type Scope } from '../../config/references/interpolation.ts'
export type * from './input.ts'
export { shellPart } from './shell.ts'

/** A service's environment. */
export interface Environment {
  readonly env: Readonly<Record<string, string>>
  /** Which layer set each. */
  readonly layers: ReadonlyMap<string, EnvLayer>
  /** Variables whose value in a file or table is ignored, as locald sets another one. */
  readonly overruled: readonly Overruled[]
  /** Finds where each comes from, the strongest place first, then those that it overrides; takes a while. */
  origins(): Promise<ReadonlyMap<string, readonly EnvOrigin[]>>
}

/** A variable whose written value is ignored, and its place. */
export interface Overruled {
  readonly name: string
  readonly origin: () => Promise<EnvOrigin>
}

/** The keeper sets this for each process and overrides any other value. */
const ofKeeper = 'NOTIFY_SOCKET'

/**
 * Assembles a service's environment, weakest layer first: shell, locald's defaults, project `env`, `.env`, files of the
 * `up`, `env_file`, the service's `env`, what locald sets. In `env` every reference must resolve; in files unknown
 * references stay as written, and single-quoted values are literal. ENV_UNRESOLVED names service, key, file and line of
 * each unresolved reference, never a value; CONFIG_UNREADABLE and CONFIG_INVALID report files that cannot be read or do
 * not exist.
 */
export async function environmentOf(input: EnvironmentInput): Promise<Environment> {
  const { plan, service, own, defaults = {}, isGuest = false } = input
  const files = await readFiles(input)
  const values = new Map<string, Value>()
  const anonymous = (layer: EnvLayer) => async () => ({ layer, file: null, line: null })
  for (const [name, text] of Object.entries(shellPart(input.shell)))
    lay(values, name, { text, layer: 'shell', origin: anonymous('shell') })
  for (const [name, text] of Object.entries(defaults))
    lay(values, name, { text, layer: 'locald', origin: anonymous('locald') })
  const later = new Set([...files.flatMap(({ entries }) => [...entries.keys()]), ...Object.keys(service.common.env)])
  const faults = await addTable(input, values, { layer: 'project', table: plan.env, path: ['env'], later })
  for (const file of files) addFile(input, values, file)
  const path = ['services', service.name, 'env']
  faults.push(
    ...(await addTable(input, values, { layer: 'service', table: service.common.env, path, later: new Set() })),
  )
  if (faults.length > 0) throw mergeErrors(faults, plan.path)
  const overruled = [...Object.keys(own), ...(isGuest ? [] : [ofKeeper])].flatMap(name => {
    const written = values.get(name)
    if (written === undefined || written.layer === 'shell' || written.text === own[name]) return []
    return [{ name, origin: written.origin }]
  })
  for (const [name, text] of Object.entries(own))
    lay(values, name, { text, layer: 'locald', origin: anonymous('locald') })
  if (isGuest) for (const [name, { layer }] of [...values]) if (layer === 'shell') values.delete(name)
  return {
    overruled,
    env: Object.fromEntries([...values].map(([name, { text }]) => [name, text])),
    layers: new Map([...values].map(([name, { layer }]) => [name, layer])),
    origins: async () =>
      new Map(await Promise.all([...values].map(async ([name, value]) => [name, await originsOf(value)] as const))),
  }
}
