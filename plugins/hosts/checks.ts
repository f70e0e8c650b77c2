import type { Check, CheckResult } from '../../kernel/contract/plugin.ts'
import type { HostsBlock } from './hosts-block.ts'
import { addressesOf, findsLocalhostNames } from './name-lookup.ts'

/** Returns the checks of names for `locald doctor`. `block` returns undefined until the plugin has started. */
export function nameChecks(
  os: NodeJS.Platform,
  block: () => HostsBlock | undefined,
  find: typeof addressesOf = addressesOf,
): readonly Check[] {
  return [
    { id: 'hosts-block', title: 'Names in the hosts file', run: async () => checkBlock(block()) },
    { id: 'localhost', title: 'localhost', run: checkLocalhost },
    {
      id: 'localhost-names',
      title: 'Names below localhost',
      run: async () => (block() === undefined ? checkNames(os, find) : inHostsFile),
    },
  ]
}

const inHostsFile: CheckResult = {
  status: 'pass',
  severity: 'optional',
  summary: 'names of running services are kept in the hosts file',
}

function checkBlock(block: HostsBlock | undefined): CheckResult {
  const severity = 'optional'
  if (block === undefined) return { status: 'skip', severity, summary: 'locald does not write to the hosts file' }
  if (block.problem === '') return { status: 'pass', severity, summary: 'the hosts file has the names that need it' }
  return { status: 'warn', severity, summary: block.problem, fix: 'Run `locald admin sync-hosts`.' }
}

async function checkLocalhost(): Promise<CheckResult> {
  const severity = 'important'
  const addresses = await addressesOf('localhost')
  const summary = `localhost is ${addresses.length === 0 ? 'not found' : addresses.join(' and ')}`
  if (addresses.some(it => it === '127.0.0.1' || it === '::1')) return { status: 'pass', severity, summary }
  return { status: 'warn', severity, summary, fix: 'Add the line `127.0.0.1 localhost` to /etc/hosts.' }
}

async function checkNames(os: NodeJS.Platform, find: typeof addressesOf): Promise<CheckResult> {
  const severity = 'optional'
  if (await findsLocalhostNames(find)) {
    return { status: 'pass', severity, summary: 'every program finds names such as web.shop.localhost' }
  }
  const summary =
    'programs of this machine do not find names such as web.shop.localhost, apart from Chrome, Firefox and curl'
  const setup = 'Run `sudo locald admin setup`: they are then kept in the hosts file.'
  const module = 'Or install nss-myhostname (Debian: `sudo apt install libnss-myhostname`).'
  const fix = os === 'linux' ? `${setup} ${module}` : setup
  return { status: 'warn', severity, summary, fix }
}
