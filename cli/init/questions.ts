import { isLabel, labelRule } from '../../kernel/config/names.ts'
import type { InferredAnswer } from '../../kernel/protocol.ts'
import { closest } from '../../kernel/system/suggest.ts'
import type { Ask } from '../output/prompt.ts'

/** What a new `locald.toml` is made of. */
export interface Choice {
  readonly name: string
  readonly services: InferredAnswer['services']
}

/** With more services than these, the ports stay assigned without a question each. */
const mostPorts = 3

/** Asks for the project's name, the services to keep and their ports. Enter takes the default of each. */
export async function askForProject({ name, services }: Choice, ask: Ask): Promise<Choice> {
  const chosen = await ask('Project name', name, text => (isLabel(text) ? undefined : `A project's name ${labelRule}.`))
  const kept = Object.keys(services).length > 1 ? await askForServices(services, ask) : services
  const withPort = Object.entries(kept).filter(([, table]) => table['port'] === undefined && !isPortless(table))
  const ports = new Map<string, number>()
  for (const [service] of withPort.length > mostPorts ? [] : withPort) {
    const text = await ask(`Port of ${service}`, 'assigned', answer =>
      answer === 'assigned' || isPort(answer) ? undefined : 'A port is a number from 1 to 65535.',
    )
    if (isPort(text)) ports.set(service, Number(text))
  }
  const entries = Object.entries(kept).map(([service, table]) => {
    const port = ports.get(service)
    return [service, port === undefined ? table : { ...table, port }]
  })
  return { name: chosen, services: Object.fromEntries(entries) }
}

async function askForServices(services: Choice['services'], ask: Ask): Promise<Choice['services']> {
  const names = Object.keys(services)
  const words = (text: string) => text.split(/[\s,]+/).filter(word => word !== '')
  const text = await ask('Services', names.join(' '), answer => {
    const wrong = words(answer).find(word => !names.includes(word))
    if (wrong === undefined) return words(answer).length === 0 ? 'Name at least one.' : undefined
    const near = closest(wrong, names)
    return `There is no service ${wrong}${near === undefined ? '' : `: did you mean ${near}?`}`
  })
  const kept = words(text)
  return Object.fromEntries(Object.entries(services).filter(([name]) => kept.includes(name)))
}

/** Whether a service has no port of its own to choose, as far as its table shows. */
function isPortless({ type }: Readonly<Record<string, unknown>>): boolean {
  return type !== undefined && type !== 'exec'
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
}
