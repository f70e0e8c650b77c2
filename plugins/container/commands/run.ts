import { randomBytes } from 'node:crypto'
import type { CommandContext, CommandResult } from '../../../kernel/contract/plugin.ts'
import { tryEngine } from '../calls/run-engine.ts'
import { isShortName, onDockerHub } from '../images/short-name.ts'
import { labelFlags } from '../names.ts'
import type { Engine } from '../provides.ts'
import { findProject, type Here } from './here.ts'
import { type CommandParts, usageError } from './parts.ts'

/** Runs the engine with a terminal where the caller has one: only the caller knows. */
const withTerminal =
  'program=$1; shift 2; if test -t 0 && test -t 1; then exec "$program" run --tty "$@"; fi; exec "$program" run "$@"'

/** `locald container run IMAGE [-- CMD…]`: the CLI runs the engine in the caller's terminal. */
export async function runOneOff(
  parts: CommandParts,
  argv: readonly string[],
  context: CommandContext,
): Promise<CommandResult> {
  const { image, command } = parse(argv)
  const { engines, host, names } = parts
  const here = findProject(host, context)
  const { signal } = context
  const choice = await engines.choose(here, signal)
  const engine = await engines.named(choice.source.name, () => {}, signal)
  const network = here === undefined ? [] : await networkFlags(parts, engine, here)
  const labels = here === undefined ? {} : names.labels(here, undefined, 'one-off')
  const name = `locald-${here?.name ?? 'run'}-${randomBytes(4).toString('hex')}-${names.owner}`
  const flags = ['--rm', '--interactive', '--init', '--name', name, ...labelFlags(labels), ...network]
  const { argv: words, env } = engine.command(['run', ...flags, await nameOf(image, engine), ...command])
  return { exitCode: 0, text: '', terminal: { argv: ['/bin/sh', '-c', withTerminal, 'sh', ...words], env } }
}

function parse(argv: readonly string[]): { readonly image: string; readonly command: readonly string[] } {
  const end = argv.indexOf('--')
  const [image, ...more] = end < 0 ? argv : argv.slice(0, end)
  const hint = 'Use `locald container run IMAGE -- CMD…`.'
  if (image === undefined) throw usageError('locald container run needs an image', hint)
  const extra = image.startsWith('-') ? image : more[0]
  if (extra !== undefined) throw usageError(`locald container run: unexpected argument '${extra}'`, hint)
  return { image, command: end < 0 ? [] : argv.slice(end + 1) }
}

/** Returns the image's name for the engine, which pulls it where it is missing. */
async function nameOf(image: string, engine: Engine): Promise<string> {
  if (engine.dialect !== 'podman' || !isShortName(image)) return image
  const { code } = await tryEngine(engine, ['image', 'inspect', image])
  return code === 0 ? image : onDockerHub(image)
}

/** Returns the flags for the project's network, which exists while container services of the project run. */
async function networkFlags({ names }: CommandParts, engine: Engine, here: Here): Promise<readonly string[]> {
  const network = names.network(here)
  const { code } = await tryEngine(engine, ['network', 'inspect', network])
  return code === 0 ? ['--network', network] : []
}
