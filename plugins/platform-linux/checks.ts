import { lookup } from 'node:dns/promises'
import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { systemCode } from '../../kernel/errors.ts'
import type { Check, CheckResult, FeatureName, FeatureState, Host } from '../../kernel/plugin.ts'
import type { Machine } from './probe.ts'
import { textOf } from './probe.ts'
import { wholeShim } from './shim.ts'
import { parseOpenFiles, parseStat } from './stat.ts'

const titles: Readonly<Record<FeatureName, string>> = {
  containers: 'Container services',
  cgroups: 'Control groups',
  shim: 'Privileged helper',
  'privileged-ports': 'Ports 80 and 443',
  'hosts-file': 'Names in the hosts file',
  'trust-store': 'Certificate store of the system',
  'process-groups': 'Process groups',
  'open-browser': 'Opening the browser',
  'boot-service': 'Starting with the machine',
  vm: 'Hardware virtualisation',
}

const fewWatches = 65_536
const fewInstances = 128
const fewFiles = 1024
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
  return { status: 'warn', severity, summary, ...(state.hint === undefined ? {} : { fix: state.hint }) }
}

/** Checks of the machine that belong to no feature. */
export function machineChecks(machine: Machine): readonly Check[] {
  const inHostsFile = async () => (await wholeShim(machine, 'the hosts file')).on
  return [
    { id: 'process-table', title: 'Process table', run: () => processTable(machine) },
    { id: 'file-watches', title: 'File watches', run: () => fileWatches(machine) },
    { id: 'open-files', title: 'Open files', run: () => openFiles(machine) },
    { id: 'temporary-folder', title: 'Temporary folder', run: () => temporaryFolder(tmpdir()) },
    { id: 'localhost', title: 'localhost', run: () => localhost('localhost') },
    {
      id: 'localhost-names',
      title: 'Names below localhost',
      run: () => localhostNames('locald-doctor.localhost', inHostsFile),
    },
  ]
}

async function processTable(machine: Machine): Promise<CheckResult> {
  const severity = 'critical'
  const stat = parseStat((await textOf(machine, '/proc/self/stat')) ?? '')
  if (stat !== undefined) return { status: 'pass', severity, summary: '/proc can be read' }
  return {
    status: 'fail',
    severity,
    summary: '/proc cannot be read',
    fix: 'Mount it: `sudo mount -t proc proc /proc`.',
  }
}

async function fileWatches(machine: Machine): Promise<CheckResult> {
  const severity = 'important'
  const limit = async (name: string) => Number((await textOf(machine, `/proc/sys/fs/inotify/${name}`)) ?? 0)
  const [watches, instances] = [await limit('max_user_watches'), await limit('max_user_instances')]
  const summary = `${watches} watches, ${instances} watchers for each user`
  if (watches >= fewWatches && instances >= fewInstances) return { status: 'pass', severity, summary }
  const fix =
    'Run `printf "fs.inotify.max_user_watches=524288\\nfs.inotify.max_user_instances=512\\n" | sudo tee /etc/sysctl.d/60-inotify.conf ' +
    '&& sudo sysctl --system`.'
  return { status: 'warn', severity, summary: `${summary}: large projects need more`, fix }
}

async function openFiles(machine: Machine): Promise<CheckResult> {
  const severity = 'important'
  const limit = parseOpenFiles((await textOf(machine, '/proc/self/limits')) ?? '')
  if (limit === undefined) return { status: 'skip', severity, summary: 'the limit of open files cannot be read' }
  const summary = limit === Number.POSITIVE_INFINITY ? 'no limit' : `${limit} files for each process`
  if (limit >= fewFiles) return { status: 'pass', severity, summary }
  return { status: 'warn', severity, summary, fix: 'Run `ulimit -n 4096` in the shell that starts locald.' }
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
  const fix =
    'Run `sudo locald admin setup`: they are then kept in the hosts file. Or install nss-myhostname (Debian: `sudo apt install libnss-myhostname`).'
  return { status: 'warn', severity, summary: 'only browsers and curl find names such as web.shop.localhost', fix }
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
