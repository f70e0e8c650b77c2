import type { ServiceView } from '../../../../kernel/events.ts'
import type { ServiceCommandView } from '../../../../kernel/protocol.ts'
import type { Action } from './registry.ts'
import { runDeclared } from './run.ts'

/** Returns what runs a command that a service declares. */
export function declaredAction(service: ServiceView, command: ServiceCommandView): Action {
  const { name, description, confirm, args } = command
  return {
    id: `service.declared.${name}`,
    isOfService: true,
    title: () => `Run ${name} of ${service.name}${confirm || args.length > 0 ? '…' : ''}`,
    cli: () => `locald run ${service.key} ${name}`,
    keywords: description ?? '',
    run: () => runDeclared(service, command),
  }
}
