import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Host, Plugin } from '../../kernel/contract/plugin.ts'
import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { openAuthority } from './ca/authority.ts'
import { CaBundles } from './ca/bundle.ts'
import { constrainDomains } from './ca/domains.ts'
import { LeafCertificates } from './ca/leaf-certificates.ts'
import { addNodeVariable } from './ca/node-variable.ts'
import type { StoreMachine } from './trust/machine.ts'
import type { Helper } from './trust/system-store.ts'
import { Trust } from './trust/trust.ts'

const options = shape({
  type: 'object',
  properties: {
    domains: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description: 'Also issue certificates for these domains.',
    },
  },
  additionalProperties: false,
})

/** A local CA that can certify local names only, certificates for the proxy, and the stores that trust the CA. */
const plugin: Plugin = {
  name: 'https',
  api: 1,
  options,
  setup(host) {
    const folder = join(host.folders.data, 'ca')
    const domains = readDomains(host)
    host.provide('certificates', () => new LeafCertificates(openAuthority(folder, domains), domains))
    const bundlesFolder = join(host.folders.data, 'ca-bundles')
    const bundles = new CaBundles(bundlesFolder)
    addNodeVariable(host, bundles, () => (isServed(host) ? host.use.certificates.caFile : undefined))
    host.disk(async () => [
      { what: 'certificates', path: folder },
      { what: 'CA bundles of services', path: bundlesFolder },
    ])
    const trust = new Trust(describeMachine(host), folder, () => findHelper(host))
    host.command({
      name: 'trust',
      description: 'Trust the local CA in all trust stores',
      usage: '[--system]',
      group: 'machine',
      details:
        'Adds it to the trust stores of the system and of browsers. On macOS it goes to your own keychain, with `--system` to that of all users.',
      async run(argv, { outcomes }) {
        const system = argv.includes('--system')
        refuseArguments(
          'trust',
          argv.filter(word => word !== '--system'),
        )
        return await trust.trust({ system, outcomes })
      },
    })
    host.command({
      name: 'untrust',
      description: 'Remove the local CA from all trust stores',
      group: 'machine',
      async run(argv, { outcomes }) {
        refuseArguments('untrust', argv)
        return await trust.untrust({ outcomes })
      },
    })
    host.check({ id: 'ca', title: 'Local CA', run: () => trust.checkFiles() })
    host.check({ id: 'trust-system', title: 'Trust of the system', run: () => trust.checkStores('system') })
    host.check({ id: 'trust-chromium', title: 'Trust of Chromium', run: () => trust.checkStores('chromium') })
    host.check({ id: 'trust-firefox', title: 'Trust of Firefox', run: () => trust.checkStores('firefox') })
  },
}

export default plugin

/** Returns whether the proxy serves names over HTTPS, which it does with the certificates of this plugin. */
function isServed(host: Host): boolean {
  return typeof host.optional('web')?.https === 'number'
}

/** Refuses arguments: a misspelt flag may have been meant to limit the change. */
function refuseArguments(command: string, [word]: readonly string[]): void {
  if (word === undefined) return
  throw new LocaldError('USAGE', `unexpected argument '${word}'`, {
    hint: `See \`locald ${command} --help\`.`,
  })
}

function readDomains(host: Host): readonly string[] {
  const domains = constrainDomains(isOptions(host.options) ? host.options.domains : [])
  if (typeof domains !== 'string') return domains
  throw new LocaldError('PLUGIN_SETUP', `[plugins.https] domains: ${domains}`, { plugin: 'https' })
}

// The kernel has validated them.
function isOptions(value: unknown): value is ShapeOf<typeof options> {
  return typeof value === 'object' && value !== null && 'domains' in value
}

/** Returns the privileged helper; undefined when it is not installed. */
function findHelper(host: Host): Helper | undefined {
  if (!host.has('shim')) return undefined
  try {
    return host.use.privileges
  } catch (error) {
    host.log.info(`no privileged helper: ${messageOf(error)}`)
    return undefined
  }
}

function describeMachine({ platform, folders }: Host): StoreMachine {
  const { HOME: home, PATH: path } = process.env
  return {
    os: platform.os,
    uid: platform.uid,
    root: '/',
    home: home || homedir(),
    path: path ?? '',
    native: folders.native,
  }
}
