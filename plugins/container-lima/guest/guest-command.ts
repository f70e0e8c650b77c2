import type { CommandOptions, EngineCommand } from '../../container/provides.ts'
import type { Limactl } from '../limactl.ts'
import { engineWords, type GuestEngine } from './guest-engine.ts'
import { planVariables, quoteWord, type VariablePlan } from './variables.ts'

/**
 * Reads as many lines from stdin as its first word says, runs them, and then the rest of its words, for which stdin
 * goes on. `read` takes no byte after its line, also from a pipe (POSIX, read).
 */
const reader = [
  '_locald_n=$1; shift; _locald_s=',
  'while [ "$_locald_n" -gt 0 ]; do IFS= read -r _locald_l || exit 125',
  '_locald_s="$_locald_s$_locald_l',
  '"; _locald_n=$((_locald_n - 1)); done',
  'unset _locald_l; eval "$_locald_s"; unset _locald_s _locald_n',
].join('\n')

/** Returns a command of the engine in the VM, as a child on this machine. */
export function guestCommand(
  limactl: Limactl,
  engine: GuestEngine,
  args: readonly string[],
  { variables = {}, tty = false }: CommandOptions = {},
): EngineCommand {
  const words = engineWords(engine)
  if (Object.keys(variables).length === 0) return { argv: limactl.shellArgv([...words, ...args]), env: limactl.env }
  const plan = planVariables(variables)
  const [verb, ...rest] = args
  const command = [...words, ...(verb === undefined ? [] : [verb]), ...plan.flags, ...rest]
  if (tty) return terminalCommand(limactl, plan, command)
  const count = plan.script.split('\n').length - 1
  const script = `${reader}\n${execute(plan)}`
  return {
    argv: limactl.shellArgv(['sh', '-c', script, 'locald', String(count), ...command]),
    env: limactl.env,
    input: plan.script,
  }
}

/**
 * A terminal is on stdin, so that nothing else can come by it: a first command writes the script to a file that only
 * the user of the VM can read, from a variable of this machine's shell; the second one reads it and removes it.
 */
function terminalCommand(limactl: Limactl, plan: VariablePlan, command: readonly string[]): EngineCommand {
  const file = `${plan.file ?? planVariables({ PATH: '/' }).file}.sh`
  const write = limactl.shellArgv(['sh', '-c', `umask 077; set -C; cat >${file}`])
  const load = `. ${file} && rm -f ${file} || exit 125\n${execute(plan)}`
  const run = limactl.shellArgv(['sh', '-c', load, 'locald', ...command])
  const both = [
    `printf %s "$LOCALD_VARIABLES" | ${write.map(quoteWord).join(' ')} || exit 125`,
    `unset LOCALD_VARIABLES; exec ${run.map(quoteWord).join(' ')}`,
  ]
  return { argv: ['/bin/sh', '-c', both.join('\n')], env: { ...limactl.env, LOCALD_VARIABLES: plan.script } }
}

/** Runs the words of the shell; with a file, it waits for their end to remove it. */
function execute({ file }: VariablePlan): string {
  if (file === undefined) return 'exec "$@"'
  return `trap 'rm -f ${file}' EXIT; trap 'exit 129' HUP INT TERM\n"$@"`
}
