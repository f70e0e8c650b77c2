import { lookup } from 'node:dns/promises'
import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { messageOf, systemCode } from '../../kernel/errors.ts'
import type { Check, CheckResult, FeatureName, FeatureState, Host } from '../../kernel/plugin.ts'
import type { Tools } from './tools.ts'

const titles: Readonly<Record<FeatureName, string>> = {
  containers: 'Container services',
  cgroups: 'Control groups',
  shim: 'Privileged helper',
  'privileged-ports': 'Ports 80 and 443',
  'hosts-file': 'Names in the hosts file',
  'trust-store': 'Certificates in the system keychain',
  'process-groups': 'Process groups',
  'open-browser': 'Opening the browser',
  'boot-service': 'Starting with the machine',
  vm: 'Virtual machine',
}

const littleSpace = 64 * 1024 * 1024
const lookupMs = 2000

/**
 * A feature's check. It looks anew, so that `doctor` sees what was mended since the daemon started; a feature that
 * another plugin has turned on since `registered` passes.
 */
export function featureCheck(
  host: Pick<Host, 'has'>,
  name: FeatureName,
  registered: FeatureState,
  probe: () => Promise<FeatureState>,
): Check {
  const run = async () => {
    const refined = host.has(name) && !registered.on
    return featureResult(name, refined ? { on: true } : await probe())
  }
  return { id: name, title: titles[name], run }
}

function featureResult(name: FeatureName, state: FeatureState): CheckResult {
  const severity = name === 'process-groups' ? 'critical' : 'optional'
  if (state.on) return { status: 'pass', severity, summary: `${titles[name]}: available` }
  const summary = `${titles[name]}: ${state.reason ?? 'not available'}`
  // Nothing mends what this system does not have.
  if (name === 'cgroups') return { status: 'skip', severity, summary }
  return { status: 'warn', severity, summary, ...(state.hint === undefined ? {} : { fix: state.hint }) }
}

/** Checks of the machine that belong to no feature. */
export function machineChecks(
  tools: Pick<Tools, 'ps' | 'lsof'>,
  inHostsFile: () => Promise<boolean> = async () => false,
): readonly Check[] {
  return [
    { id: 'process-table', title: 'Process table (ps)', run: () => toolCheck('ps', () => tools.ps()) },
    { id: 'socket-table', title: 'Socket table (lsof)', run: () => toolCheck('lsof', () => tools.lsof()) },
    { id: 'temporary-folder', title: 'Temporary folder', run: () => temporaryFolder(tmpdir()) },
    { id: 'localhost', title: 'localhost', run: () => localhost('localhost') },
    {
      id: 'localhost-names',
      title: 'Names below localhost',
      run: () => localhostNames('locald-doctor.localhost', inHostsFile),
    },
  ]
}

async function toolCheck(program: 'ps' | 'lsof', use: () => Promise<readonly { pid: number }[]>): Promise<CheckResult> {
  const severity = 'critical'
  const fix = `Put the system's own ${program} on PATH: /bin and /usr/sbin must be among its folders.`
  try {
    const rows = await use()
    if (program === 'lsof' || rows.some(({ pid }) => pid === process.pid)) {
      return { status: 'pass', severity, summary: `${program} works` }
    }
    return { status: 'fail', severity, summary: `${program} writes what locald cannot read`, fix }
  } catch (error) {
    return { status: 'fail', severity, summary: messageOf(error), fix }
  }
}
/** Writable, and not full. */
async function temporaryFolder(folder: string): Promise<CheckResult> {
  const severity = 'important'
  try {
    await access(folder, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize >= littleSpace) return { status: 'pass', severity, summary: `${folder} is writable` }
    return { status: 'warn', severity, summary: `${folder} is nearly full`, fix: `Free some space in ${folder}.` }
  } catch (error) {
    const summary = `${folder} cannot be written to (${systemCode(error) ?? 'unknown error'})`
    return { status: 'fail', severity, summary, fix: 'Set TMPDIR to a folder that can be.' }
  }
}

async function localhost(name: string): Promise<CheckResult> {
  const severity = 'important'
  const addresses = await addressesOf(name)
  if (addresses.some(address => address === '127.0.0.1' || address === '::1')) {
    return { status: 'pass', severity, summary: `${name} is ${addresses.join(' and ')}` }
  }
  const summary = `${name} is ${addresses.length === 0 ? 'not found' : addresses.join(' and ')}`
  return { status: 'warn', severity, summary, fix: 'Add the line `127.0.0.1 localhost` to /etc/hosts.' }
}

async function localhostNames(name: string, inHostsFile: () => Promise<boolean>): Promise<CheckResult> {
  const severity = 'optional'
  if (await inHostsFile()) {
    return { status: 'pass', severity, summary: 'names of running services are kept in the hosts file' }
  }
  if ((await addressesOf(name)).length > 0) {
    return { status: 'pass', severity, summary: 'every program finds names such as web.shop.localhost' }
  }
  const fix = 'Run `sudo locald admin setup`: locald then keeps them in the hosts file.'
  return {
    status: 'warn',
    severity,
    summary: 'Safari and some programs do not find names such as web.shop.localhost',
    fix,
  }
}

/** What getaddrinfo(3) knows; empty when that is nothing, or when a name server keeps it waiting. */
async function addressesOf(name: string): Promise<readonly string[]> {
  const waited = new AbortController()
  try {
    const late = setTimeout(lookupMs, [], { signal: waited.signal })
    const found = await Promise.race([lookup(name, { all: true }), late])
    return found.map(({ address }) => address)
  } catch {
    return []
  } finally {
    waited.abort()
  }
}
