import type { ProcessTable } from '../../contract/plugin.ts'
import { isAnswered } from '../../lib/loopback.ts'
import type { Container } from '../../plugins/container.ts'
import type { Contributions } from '../../plugins/contributions.ts'
import type { Projects } from '../../projects/projects.ts'
import type { PortAnswer } from '../../protocol.ts'
import type { Service } from '../../services/service.ts'

/** What the holder of a port is found with. */
export interface PortHolderParts {
  readonly projects: Pick<Projects, 'services'>
  readonly contributions: Pick<Contributions, 'daemonPort'>
  readonly container: Pick<Container, 'optional'>
}

/** Finds who listens on a port: the daemon, a service on its own port or another one, or another process. */
export async function findPortHolder(
  { projects, contributions, container }: PortHolderParts,
  port: number,
): Promise<PortAnswer> {
  const none = { port, holder: null, service: null, hint: null }
  const daemon = contributions.daemonPort(port)
  if (daemon !== undefined) {
    const hint = `${daemon.hint.charAt(0).toUpperCase()}${daemon.hint.slice(1)}.`
    return { ...none, kind: 'daemon', holder: `${daemon.name} (pid ${process.pid})`, hint }
  }
  const table = container.optional('processTable')
  const services = projects.services(undefined)
  // Not by binding it, which fails for low ports that are free.
  const [holder, ...answered] = await Promise.all([
    table?.holder(port),
    ...['127.0.0.1', '::1'].map(host => isAnswered(host, port)),
  ])
  const isUnused = holder === undefined && !answered.includes(true)
  const assigned = services.find(({ state }) => state.now.port === port)
  if (isUnused) return { ...none, kind: 'free', service: assigned?.ref.key ?? null, hint: startHint(assigned) }
  const listening = await findListening(services, table, port)
  if (listening !== undefined) {
    const { key } = listening.ref
    return {
      ...none,
      kind: 'service',
      holder: holder ?? null,
      service: key,
      hint: `Run \`locald stop ${key}\` to free it.`,
    }
  }
  const freeing = await table?.freeing?.(port)
  const pid = /\(pid (\d+)\)$/.exec(holder ?? '')?.[1]
  const hint = freeing !== undefined ? `${freeing}.` : pid === undefined ? null : `Run \`kill ${pid}\` to stop it.`
  return { ...none, kind: 'process', holder: holder ?? null, hint }
}

function startHint(service: Service | undefined): string | null {
  return service === undefined ? null : `Run \`locald up ${service.ref.key}\` to start it.`
}

/** Finds the running service of which a process listens on the port, or which has no process here and is that port's. */
async function findListening(
  services: readonly Service[],
  table: ProcessTable | undefined,
  port: number,
): Promise<Service | undefined> {
  const running = services.filter(({ supervisor }) => supervisor.instance !== undefined)
  const found = await Promise.all(
    running.map(async service => {
      const tree = service.supervisor.instance?.tree
      if (tree === undefined || table === undefined) return service.state.now.port === port
      const pids = (await table.members(tree)).map(({ pid }) => pid)
      return (await table.listeners(pids)).some(listener => listener.port === port)
    }),
  )
  return running.find((_, index) => found[index] === true)
}
