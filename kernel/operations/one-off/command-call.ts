import { type CommandName, commandWords, parseCommand } from '../../config/references/command-template.ts'
import { ownName } from '../../config/references/foreign-key.ts'
import { nameText } from '../../config/references/interpolation.ts'
import { formatValue } from '../../config/tables/command-values.ts'
import type { ArgumentValue, Argv, CommandArgument, ServiceCommand, ServicePlan } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import type { Project } from '../../projects/project.ts'
import type { CommandCall, ServiceCommandView } from '../../protocol.ts'
import type { Service } from '../../services/service.ts'
import { closest } from '../../system/suggest.ts'

/** A call of a command that a service declares, its arguments checked. */
export interface CheckedCall {
  /** Its name and its arguments as flags: what people see of it. */
  readonly words: Argv
  /** Returns what runs it, with the present values of its references. Throws ENV_UNRESOLVED where one has none. */
  argv(): Argv
}

/** Returns the commands that a service declares, in the order of the file. */
export function listCommands(project: Project, { ref }: Service): readonly ServiceCommandView[] {
  return Object.entries(project.planOf(ref.name)?.common.commands ?? {}).map(([name, command]) => ({
    ...{ name, run: command.run, description: command.description ?? null, confirm: command.confirm },
    args: Object.entries(command.args).map(([name, argument]) => ({ name, ...argument })),
  }))
}

/** Checks a call. Throws UNKNOWN_COMMAND, and USAGE with all that is wrong with its arguments. */
export function checkCall(project: Project, service: Service, { name, args = {} }: CommandCall): CheckedCall {
  const plan = project.planOf(service.ref.name)
  const commands = plan?.common.commands ?? {}
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (plan === undefined || command === undefined) throw unknownCommand(service, name, Object.keys(commands))
  const values = readValues(`${service.ref.name} ${name}`, command, args)
  const words = [...values].map(([arg, value]) => `--${arg}=${value}`)
  return {
    words: [name, ...words],
    argv() {
      const template = parseCommand(command.run, Object.keys(command.args))
      if ('fault' in template) throw new LocaldError('CONFIG_INVALID', `'${name}' ${template.fault}`, template)
      const textOf = (each: CommandName) =>
        each.of === 'argument' ? (values.get(each.name) ?? '') : requireValue(project, plan, each)
      return commandWords(template, name, template.names.map(textOf))
    },
  }
}

/** Returns the values of all arguments as texts. */
function readValues(
  what: string,
  { args }: ServiceCommand,
  given: Readonly<Record<string, ArgumentValue>>,
): ReadonlyMap<string, string> {
  const names = Object.keys(args)
  const faults = Object.keys(given)
    .filter(name => !names.includes(name))
    .map(name => {
      const near = closest(name, names)
      return `unknown argument '${name}'${near === undefined ? '' : `, did you mean '${near}'?`}`
    })
  const values = new Map<string, string>()
  for (const [name, argument] of Object.entries(args)) {
    const value = readValue(argument, Object.hasOwn(given, name) ? given[name] : argument.default)
    if ('text' in value) values.set(name, value.text)
    else faults.push(`'${name}' ${value.fault}`)
  }
  if (faults.length === 0) return values
  throw new LocaldError('USAGE', `${what}: ${faults.join('; ')}`, {
    hint: `Run \`locald run ${what} --help\` for its arguments. Nothing was started.`,
  })
}

function readValue(argument: CommandArgument, value: ArgumentValue | undefined): ReturnType<typeof formatValue> {
  return value === undefined ? { fault: 'is required' } : formatValue(argument, value)
}

function requireValue(project: Project, plan: ServicePlan, name: Exclude<CommandName, { of: 'argument' }>): string {
  if (name.of === 'project') return project.ref[name.field]
  const value = project.lookup(plan, ownName(name.service, project.plan.name), name.field)
  if (value !== undefined) return value
  throw new LocaldError('ENV_UNRESOLVED', `\${${nameText(name)}} has no value`, {
    hint: `Run \`locald up ${name.service}\` first.`,
  })
}

function unknownCommand({ ref }: Service, name: string, known: readonly string[]): LocaldError {
  const near = closest(name, known)
  const list = known.length === 0 ? 'declares none' : `declares ${known.join(', ')}`
  return new LocaldError('UNKNOWN_COMMAND', `unknown command '${name}': '${ref.name}' ${list}`, {
    ...{
      service: ref.key,
      hint: near === undefined ? `Run \`locald run ${ref.name} --help\`.` : `Did you mean '${near}'?`,
    },
  })
}
