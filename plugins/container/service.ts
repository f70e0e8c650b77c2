import type { Address, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import type { ContainerDriver } from './driver.ts'
import { hostAlias } from './names.ts'
import { type ContainerOptions, options } from './options.ts'

/** What clients of these ports expect as a URL's scheme in references; all others are taken for HTTP. */
const schemes: Readonly<Record<number, string>> = {
  3306: 'mysql',
  4222: 'nats',
  5432: 'postgresql',
  5672: 'amqp',
  6379: 'redis',
  11211: 'memcached',
  27017: 'mongodb',
}

/**
 * Returns the type `container`.
 * @param driver loads what starts containers
 */
export function containerService(driver: () => Promise<ContainerDriver>): ServiceType<ContainerOptions> {
  return {
    ...{ type: 'container', reach: 'guest', hostName: hostAlias, requires: ['containers'], shape: options },
    network: ({ container_port: port }) => (port === undefined ? 'none' : 'web'),
    guestPort: ({ container_port: port }) => port,
    guestHost: ({ name }) => name,
    ports: ({ ports }) => ports.map(Number),
    protocol: ({ protocol }) => protocol,
    exports: exportsOf,
    prepare: async run => (await driver()).prepare(run),
    start: async run => (await driver()).start(run),
    adopt: async (run, state) => (await driver()).adopt(run, state),
    reset: async run => (await driver()).reset(run),
    oneOff: async (run, argv, how) => (await driver()).oneOff(run, argv, how),
  }
}

function exportsOf({ options }: Run<ContainerOptions>, at: Address): Record<string, string> {
  const { container_port: inside, protocol } = options
  if (inside === undefined || at.port === undefined) return {}
  const scheme = schemes[inside] ?? (protocol === 'https' ? 'https' : 'http')
  return { url: `${scheme}://${at.host}:${at.port}` }
}
