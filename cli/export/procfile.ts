import { join } from 'node:path'
import { environmentOf, type Template } from './environment.ts'
import { noteKeys } from './keys.ts'
import { localExports } from './local.ts'
import type { Notes } from './notes.ts'
import { isWritten, type Project, type Service, tableAt } from './project.ts'
import { quote } from './runtime.ts'
import { hideSecrets } from './secrets.ts'
import { secretsOf } from './workloads.ts'

/** foreman's: each process has a hundred ports. */
const [firstPort, portStep] = [5000, 100]

/** Writes a project as a Procfile, which has only commands. Notes list the variables for the .env beside it. */
export function toProcfile(given: Project, notes: Notes): string {
  const secrets = secretsOf(given)
  const project = hideSecrets(given, secrets, notes)
  noteKeys(project, notes)
  const listed = project.services.filter(service => {
    const isCommand = service.type === 'exec' || service.type === 'worker'
    if (!isCommand)
      notes.dropped(`services.${service.name}`, `a Procfile has only commands: start the ${service.type} yourself`)
    return isCommand
  })
  const exports = new Map(
    project.services.map(
      service => [service.name, localExports(service, portOf(service, listed.indexOf(service)))] as const,
    ),
  )
  const variables = new Set<string>()
  const noteVariable = ({ name, table }: Service, variable: string, value: string) => {
    const line = value === `\${${variable}}` ? variable : `${variable}=${value}`
    if (value === '' || variables.has(line)) return
    variables.add(line)
    const isShared = !Object.hasOwn(tableAt(table, 'env'), variable) && Object.hasOwn(project.env, variable)
    notes.dropped(isShared ? `env.${variable}` : `services.${name}.env.${variable}`, `add ${line} to .env`)
  }
  const lines = listed.map(service => {
    const { name, table } = service
    for (const key of ['health_check', 'depends_on', 'restart', 'stop_signal', 'stop_timeout', 'ready_timeout'])
      if (isWritten(project, `services.${name}.${key}`))
        notes.dropped(`services.${name}.${key}`, 'a Procfile has no such thing')
    for (const [variable, value] of environmentOf(service, { project, secrets, notes, exports }))
      noteVariable(service, variable, textOf(value))
    for (const file of service.envFiles.filter(each => each !== '.env'))
      notes.dropped(`services.${name}.env_file`, `start with the variables of ${file}, too`)
    return lineOf(service, String(table['command']), notes)
  })
  return lines.filter(line => line !== '').join('')
}

function lineOf({ name, table }: Service, command: string, notes: Notes): string {
  const text = command.trim()
  if (/[\r\n]/.test(text)) {
    notes.dropped(`services.${name}.command`, 'a Procfile has a line for each command: this one has several')
    return ''
  }
  const folder = join('.', String(table['workdir'] ?? '.'))
  const port = table['port']
  const first = folder === '.' ? '' : `cd ${quote(folder)} && `
  return `${name}: ${first}${typeof port === 'number' ? `export PORT=${port}; ` : ''}${text}\n`
}

function portOf({ type, table }: Service, index: number): number | undefined {
  const written = table['port'] ?? table['container_port']
  if (typeof written === 'number' && type !== 'worker') return written
  return type === 'worker' || index < 0 ? undefined : firstPort + portStep * index
}

function textOf(template: Template): string {
  return template.map(part => (typeof part === 'string' ? part : `\${${part.variable}}`)).join('')
}
