import type { CommandContext, CommandResult } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { listVolumes } from '../calls/inventory.ts'
import { label } from '../names.ts'
import { findProject, type Here } from './here.ts'
import type { CommandParts } from './parts.ts'

/** `locald container engine`: shows what was found, and which engine is used here and why. */
export async function showEngines(parts: CommandParts, context: CommandContext): Promise<CommandResult> {
  const { engines, host } = parts
  const here = findProject(host, context)
  const [found, choice] = await Promise.all([
    engines.look(context.signal),
    engines.choose(here, context.signal).then(
      ({ source, why }) => ({ name: source.name, why, error: undefined }),
      error => ({ name: undefined, why: undefined, error: LocaldError.from(error) }),
    ),
  ])
  const subject = here === undefined ? 'a new project' : `'${here.name}'`
  const { name, why, error } = choice
  const text =
    error === undefined
      ? `${subject} uses ${name}: ${why}`
      : [`${subject}: ${error.message}`, ...(error.hint === undefined ? [] : [`Hint: ${error.hint}`])].join('\n')
  const rows = found.map(({ name: engine, found: state }) => {
    const isAbsent = state.state === 'absent'
    return [
      engine,
      isAbsent ? null : state.version,
      isAbsent ? state.reason : state.state,
      isAbsent ? state.hint : (state.detail ?? null),
    ]
  })
  return {
    ...{ exitCode: 0, text, table: { columns: ['engine', 'version', 'state', 'detail'], rows } },
    data: {
      project: here?.name ?? null,
      engine: name ?? null,
      reason: why ?? error?.message ?? null,
      engines: found.map(({ name: engine, found: state }) => ({ name: engine, ...state })),
    },
  }
}

/** `locald container engine NAME`: sets the engine of this project; lists the volumes that stay in the other one. */
export async function useEngine(parts: CommandParts, name: string, context: CommandContext): Promise<CommandResult> {
  const { engines, host } = parts
  const here = findProject(host, context)
  if (here === undefined) {
    const hint = 'Run it in the folder of a project, or set `engine` under `[plugins.container]` for all new projects.'
    throw new LocaldError('UNKNOWN_PROJECT', 'no project in this folder', { hint })
  }
  engines.requireKnown(name)
  const before = engines.remembered(here.path)?.engine
  if (before !== undefined && before !== name) requireStopped(parts, here, before)
  engines.set(here.path, name)
  const data = { project: here.name, engine: name, before: before ?? null }
  if (before === undefined || before === name) {
    return { exitCode: 0, text: `'${here.name}' uses ${name}`, data: { ...data, volumes: [] } }
  }
  const volumes = await leftBehind(parts, here, before, context.signal)
  const head = `'${here.name}' uses ${name} from its next start on`
  if (volumes === undefined) {
    const text = `${head}. ${before} does not run: the volumes that stay there cannot be listed.`
    return { exitCode: 0, text, data: { ...data, volumes: null } }
  }
  if (volumes.length === 0)
    return { exitCode: 0, text: `${head}. No volumes stay in ${before}.`, data: { ...data, volumes } }
  const table = { columns: ['volume', 'engine'], rows: volumes.map(volume => [volume, before]) }
  const text = `${head}. These volumes stay in ${before}, for when it is used again:`
  return { exitCode: 0, text, table, data: { ...data, volumes } }
}

/** Throws while containers of the project run: they would be lost from sight. */
function requireStopped({ host }: CommandParts, { path, name }: Here, engine: string): void {
  const running = host.use.catalog
    .services()
    .filter(service => service.type === 'container' && service.path === path && service.status !== 'stopped')
  if (running.length === 0) return
  const names = running.map(service => service.name).join(', ')
  throw new LocaldError('USAGE', `services of '${name}' run in ${engine}: ${names}`, {
    hint: 'Run `locald stop` first.',
  })
}

async function leftBehind(
  { engines, names }: CommandParts,
  { path }: Here,
  name: string,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    const engine = await engines.running(name)
    if (engine === undefined) return undefined
    const volumes = await listVolumes(engine, names.owner, signal)
    return volumes.filter(({ labels }) => labels[label.path] === path).map(({ name }) => name)
  } catch {
    return undefined
  }
}
