import type { ServiceView } from '../../../../kernel/events.ts'
import { ask } from '../state/dialog.ts'
import { go, hrefOf } from '../state/place.ts'
import { copy } from './copy.ts'
import { operate } from './operate.ts'
import type { Action, Context } from './registry.ts'
import { reportOf } from './report.ts'
import { openTerminals, runCommand } from './run.ts'

/** An action of one service: what it needs is there, as it is shown only then. */
interface Own extends Pick<Action, 'id' | 'keywords' | 'key'> {
  title(service: ServiceView): string
  cli?(service: ServiceView): string
  isShown?(service: ServiceView): boolean
  run(service: ServiceView): void | Promise<void>
}

const isStopped = ({ status }: ServiceView) => status === 'stopped' || status === 'exited'
const isDown = (service: ServiceView) => isStopped(service) || service.status === 'failed'
const hasData = ({ type }: ServiceView) => type !== 'exec' && type !== 'worker'
const target = ({ path, name }: ServiceView) => ({ path, services: [name] })

const own: readonly Own[] = [
  {
    ...{ id: 'service.start', keywords: 'up run begin' },
    title: ({ name }) => `Start ${name}`,
    cli: ({ key }) => `locald up ${key}`,
    isShown: isStopped,
    run: service =>
      operate([service], {
        ...{ route: '/projects/up', body: target(service), word: 'starting', done: `${service.name} started` },
      }),
  },
  {
    ...{ id: 'service.restart', key: 'r', keywords: 'again reload' },
    title: ({ name }) => `Restart ${name}`,
    cli: ({ key }) => `locald restart ${key}`,
    isShown: service => !isStopped(service),
    run: service =>
      operate([service], {
        ...{ route: '/projects/restart', body: target(service), word: 'restarting', done: `${service.name} restarted` },
      }),
  },
  {
    ...{ id: 'service.run-now', keywords: 'cron schedule job execute' },
    title: ({ name }) => `Run ${name} now`,
    cli: ({ key }) => `locald restart ${key}`,
    isShown: service => service.type === 'cron' && !isDown(service),
    run: service =>
      operate([service], {
        ...{ route: '/projects/restart', body: target(service), word: 'starting', done: `${service.name} runs` },
      }),
  },
  {
    ...{ id: 'service.restart-dependents', key: 'Shift+R', keywords: 'again reload' },
    title: ({ name }) => `Restart ${name} with dependents`,
    cli: ({ key }) => `locald restart --dependents ${key}`,
    isShown: service => !isStopped(service),
    run: service =>
      operate([service], {
        ...{ route: '/projects/restart', body: { ...target(service), dependents: true }, word: 'restarting' },
        done: `${service.name} and its dependents restarted`,
      }),
  },
  {
    ...{ id: 'service.stop', key: 's', keywords: 'down kill halt' },
    title: ({ name }) => `Stop ${name}`,
    cli: ({ key }) => `locald stop ${key}`,
    isShown: service => !isDown(service),
    run: service =>
      operate([service], {
        ...{ route: '/projects/stop', body: target(service), word: 'stopping', done: `${service.name} stopped` },
      }),
  },
  {
    ...{ id: 'service.open', key: 'o', keywords: 'url browser visit' },
    title: ({ name }) => `Open ${name} in the browser`,
    cli: ({ key }) => `locald open ${key}`,
    isShown: ({ url }) => url?.startsWith('http') === true,
    run: ({ url }) => void open(url ?? '', '_blank', 'noopener'),
  },
  {
    ...{ id: 'service.copy-url', key: 'u', keywords: 'address link' },
    title: ({ name }) => `Copy the URL of ${name}`,
    isShown: ({ url }) => url !== null,
    run: ({ url, name }) => copy(url ?? '', `the URL of ${name}`),
  },
  {
    ...{ id: 'service.logs', key: 'l', keywords: 'output lines' },
    title: ({ name }) => `Show the logs of ${name}`,
    cli: ({ key }) => `locald logs ${key}`,
    run: ({ key }) => go(hrefOf('logs', { query: { service: key } })),
  },
  {
    ...{ id: 'service.terminal', key: 't', keywords: 'type shell console tty' },
    title: ({ name }) => `Open the terminal of ${name}`,
    run: ({ key }) => openTerminals({ service: key }),
  },
  {
    ...{ id: 'service.show', keywords: 'details environment ports' },
    title: ({ name }) => `Show ${name}`,
    cli: ({ key }) => `locald why ${key}`,
    run: ({ key }) => go(hrefOf('service', { service: key })),
  },
  {
    ...{ id: 'service.report', key: 'y', keywords: 'markdown agent chat why' },
    title: ({ name }) => `Copy a report of ${name}`,
    cli: ({ key }) => `locald why ${key}`,
    run: async service => copy(await reportOf(service), `a report of ${service.name}`),
  },
  {
    ...{ id: 'service.run', keywords: 'exec shell command environment' },
    title: ({ name }) => `Run a command as ${name}…`,
    cli: ({ key }) => `locald run ${key} -- COMMAND`,
    run: runCommand,
  },
  {
    ...{ id: 'service.reset', keywords: 'delete data empty wipe' },
    title: ({ name }) => `Reset ${name}…`,
    cli: ({ key }) => `locald service reset ${key}`,
    isShown: hasData,
    run: reset,
  },
]

/** The actions of a service. */
export const serviceActions: readonly Action[] = own.map(forContext)

function forContext({ title, cli, isShown, run, ...rest }: Own): Action {
  return {
    ...rest,
    isOfService: true,
    title: ({ service }: Context) => (service === undefined ? '' : title(service)),
    cli: ({ service }) => (service === undefined ? undefined : cli?.(service)),
    isShown: ({ service }) => service !== undefined && (isShown?.(service) ?? true),
    run: ({ service }) => (service === undefined ? undefined : run(service)),
  }
}

async function reset(service: ServiceView): Promise<void> {
  const { name, path, key, type } = service
  const answer = await ask({
    title: `Reset ${name}?`,
    text: `All data of ${name} (${type}) in ${path} is deleted. The service starts empty.`,
    ...{ cli: `locald service reset ${key}`, yes: `Delete the data of ${name}`, isDangerous: true },
  })
  if (answer === undefined) return
  await operate([service], {
    route: '/services/reset',
    body: { path, service: name },
    word: 'resetting',
    done: `${name} was reset`,
  })
}
