import { join } from 'node:path'
import { environmentOf, type Template } from './environment.ts'
import { noteKeys } from './keys.ts'
import { localExports } from './local.ts'
import type { Notes } from './notes.ts'
import { withPorts } from './ports.ts'
import { isWritten, type Project, type Service, tableAt } from './project.ts'
import { quote } from './runtime.ts'
import { hideSecrets } from './secrets.ts'
import { calendarOf } from './systemd-calendar.ts'
import { pathText, patternText, quoted, quotedArgument, type Section, unitText } from './systemd-text.ts'
import { secondsOf } from './workload.ts'
import { secretsOf } from './workloads.ts'

/** What systemd takes as the name of a variable. */
const variableName = /^[A-Za-z_]\w*$/

interface Unit {
  readonly name: string
  readonly text: string
}

/** A command's environment: what its unit sets, and what its shell sets, because it refers to other variables. */
interface Environment {
  readonly fixed: readonly (readonly [name: string, value: string])[]
  readonly inShell: readonly (readonly [name: string, value: string])[]
}

/**
 * Writes the commands of a project as units of a user's systemd: a service each, with a timer for a scheduled one, and a
 * target for all. https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
 */
export function toSystemd(given: Project, notes: Notes): readonly Unit[] {
  const secrets = secretsOf(given)
  const project = hideSecrets(given, secrets, notes)
  noteKeys(project, notes)
  const commands = project.services.filter(service => isCommand(service, notes))
  const ports = portsOf(project)
  const exports = new Map(project.services.map(it => [it.name, localExports(it, ports.get(it.name))] as const))
  const awaited = new Set(
    commands.flatMap(({ dependsOn }) => [...dependsOn].flatMap(([name, is]) => (is === 'completed' ? name : []))),
  )
  const units = commands.flatMap(service => {
    noteDifferences(project, service, notes)
    const variables = environmentOf(service, { project, secrets, notes, exports })
    const environment = environmentIn(project, service, variables, ports.get(service.name), notes)
    const timer = service.type === 'cron' ? timerOf(project, service, notes) : undefined
    if (service.type === 'cron' && timer === undefined) return []
    const needed = [...service.dependsOn.keys()].filter(name => commands.some(other => other.name === name))
    const isOneshot = service.type === 'cron' || awaited.has(service.name)
    return [serviceOf(project, service, environment, { needed, isOneshot }), ...(timer === undefined ? [] : [timer])]
  })
  return [targetOf(project, units), ...units]
}

function isCommand({ name, type }: Service, notes: Notes): boolean {
  const isOne = type === 'exec' || type === 'worker' || type === 'cron'
  if (!isOne) notes.dropped(`services.${name}`, `start the ${type} yourself: the units are those of commands`)
  return isOne
}

/** Returns the ports of this machine: fixed, as nothing assigns them. */
function portsOf({ services }: Project): ReadonlyMap<string, number> {
  const written = services.flatMap(({ name, type, table }) => {
    const port = table['port'] ?? table['container_port']
    return typeof port === 'number' && type !== 'worker' ? [[name, port] as const] : []
  })
  return withPorts(services, written)
}

function noteDifferences(project: Project, { name, dependsOn }: Service, notes: Notes): void {
  for (const key of ['health_check', 'ready_timeout'])
    if (isWritten(project, `services.${name}.${key}`))
      notes.dropped(`services.${name}.${key}`, 'systemd does not check whether a service answers')
  const waiting = [...dependsOn].filter(([, condition]) => condition === 'ready').map(([other]) => other)
  if (waiting.length > 0)
    notes.changed(`services.${name}.depends_on`, `waits until ${waiting.join(', ')} has started, not until it is ready`)
}

function unitName({ name: project }: Project, service: string): string {
  return `${project}-${service}`
}

function targetName({ name }: Project): string {
  return `${name}.target`
}

function targetOf(project: Project, units: readonly Unit[]): Unit {
  const timers = new Set(units.flatMap(({ name }) => (name.endsWith('.timer') ? [name] : [])))
  const wanted = units
    .map(({ name }) => name)
    .filter(name => !timers.has(name.replace(/\.service$/, '.timer')) || timers.has(name))
  const text = unitText([
    [
      'Unit',
      [
        ['Description', `All services of ${project.name}`],
        ['Wants', wanted.join(' ') || undefined],
      ],
    ],
    ['Install', [['WantedBy', 'default.target']]],
  ])
  return { name: targetName(project), text: `# Made from ${project.name} by \`locald export systemd\`.\n${text}` }
}

function serviceOf(
  project: Project,
  service: Service,
  { fixed, inShell }: Environment,
  { needed, isOneshot }: { readonly needed: readonly string[]; readonly isOneshot: boolean },
): Unit {
  const { name, table, type, envFiles } = service
  const others = needed.map(other => `${unitName(project, other)}.service`).join(' ') || undefined
  const exported = inShell.map(([variable, value]) => `export ${variable}=${value}\n`).join('')
  const stopSeconds = secondsOf(table['stop_timeout']) ?? 5
  const signal = stopSeconds === 0 ? 'SIGKILL' : String(table['stop_signal'] ?? 'SIGTERM')
  const restart = String(table['restart'] ?? 'on-failure')
  const folder = join(project.root, String(table['workdir'] ?? '.'))
  const isCron = type === 'cron'
  const sections: readonly Section[] = [
    [
      'Unit',
      [
        ['Description', `${name} of ${project.name}`],
        ['PartOf', targetName(project)],
        ['Requires', others],
        ['After', others],
        ['StartLimitIntervalSec', isCron ? undefined : '60'],
        ['StartLimitBurst', isCron ? undefined : '5'],
      ],
    ],
    [
      'Service',
      [
        ['Type', isOneshot ? 'oneshot' : 'exec'],
        ['RemainAfterExit', isOneshot && !isCron ? 'yes' : undefined],
        ['WorkingDirectory', pathText(folder)],
        ...fixed.map(([variable, value]) => ['Environment', quoted(`${variable}=${value}`)] as const),
        ...envFiles.map(file => ['EnvironmentFile', `-${patternText(join(project.root, file))}`] as const),
        ['EnvironmentFile', `-${secretsFile(project)}`],
        ['ExecStart', `/bin/sh -c ${quotedArgument(`${exported}${String(table['command'])}`)}`],
        // A command that is to exit is not started again for having done so.
        ['Restart', isCron ? undefined : isOneshot && restart === 'always' ? 'on-failure' : restart],
        ['RestartSec', isCron || restart === 'no' ? undefined : '1'],
        ['KillSignal', signal === 'SIGTERM' ? undefined : signal],
        ['TimeoutStopSec', stopSeconds === 0 ? undefined : `${Math.round(stopSeconds * 1000)}ms`],
      ],
    ],
  ]
  return { name: `${unitName(project, name)}.service`, text: unitText(sections) }
}

/** The file with the variables that no unit has; `%E` is the folder of a user's configuration. */
function secretsFile({ name }: Project): string {
  return `%E/${name}.env`
}

function environmentIn(
  project: Project,
  service: Service,
  variables: ReadonlyMap<string, Template>,
  port: number | undefined,
  notes: Notes,
): Environment {
  const fixed: [string, string][] = port === undefined ? [] : [['HOST', '127.0.0.1']]
  const inShell: [string, string][] = port === undefined ? [] : [['PORT', String(port)]]
  for (const [name, template] of variables) {
    const key = keyOf(project, service, name)
    for (const part of template)
      if (typeof part !== 'string' && part.fallback.length === 0 && !service.fromFiles.has(part.variable))
        notes.dropped(key, `write ${part.variable} to ~/.config/${project.name}.env, with mode 600`)
    const [first] = template
    const isOwn = template.length === 1 && typeof first === 'object' && first.variable === name
    if (!variableName.test(name)) notes.dropped(key, 'systemd takes no variable of such a name')
    // A file is stronger than what the unit sets.
    else if (template.every(part => typeof part === 'string') && !service.fromFiles.has(name))
      fixed.push([name, template.join('')])
    else if (!isOwn || first.fallback.length > 0) inShell.push([name, shellText(template)])
  }
  return { fixed, inShell: port === undefined ? inShell : inShell.filter(([name], at) => at === 0 || name !== 'PORT') }
}

function keyOf(project: Project, { name, table }: Service, variable: string): string {
  const isShared = !Object.hasOwn(tableAt(table, 'env'), variable) && Object.hasOwn(project.env, variable)
  return isShared ? `env.${variable}` : `services.${name}.env.${variable}`
}

function shellText(template: Template): string {
  return template
    .map(part => {
      if (typeof part === 'string') return part === '' ? '' : quote(part)
      return part.fallback.length === 0
        ? `"\${${part.variable}}"`
        : `"\${${part.variable}:-${inQuotes(part.fallback)}}"`
    })
    .join('')
}

/** Writes a text within double quotes of a shell. */
function inQuotes(template: Template): string {
  return template
    .map(part => {
      if (typeof part === 'string') return part.replace(/[\\"$`}]/g, '\\$&')
      return part.fallback.length === 0 ? `\${${part.variable}}` : `\${${part.variable}:-${inQuotes(part.fallback)}}`
    })
    .join('')
}

function timerOf(project: Project, { name, table }: Service, notes: Notes): Unit | undefined {
  const { schedule, every } = table
  const events = typeof schedule === 'string' ? calendarOf(schedule) : []
  if (events === undefined) {
    notes.dropped(`services.${name}.schedule`, 'systemd has no such calendar event: the command is not written')
    return undefined
  }
  const interval = `${Math.round((secondsOf(every) ?? 0) * 1000)}ms`
  const times: Section[1] =
    events.length === 0
      ? [
          ['OnActiveSec', interval],
          ['OnUnitActiveSec', interval],
        ]
      : [...events.map(event => ['OnCalendar', event] as const), ['Persistent', 'true']]
  const text = unitText([
    [
      'Unit',
      [
        ['Description', `Schedule of ${name} of ${project.name}`],
        ['PartOf', targetName(project)],
      ],
    ],
    ['Timer', [...times, ['AccuracySec', '1s']]],
  ])
  return { name: `${unitName(project, name)}.timer`, text }
}
