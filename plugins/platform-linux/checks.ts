import type { Check, CheckResult } from '../../kernel/contract/plugin.ts'
import { featureTitles } from '../lib/features.ts'
import type { Machine } from './machine.ts'
import { textOf } from './machine.ts'
import { parseOpenFiles, parseStat } from './proc/stat.ts'

/** The titles of features in `locald doctor`. */
export const titles = featureTitles({ 'trust-store': 'Certificate store of the system', vm: 'Hardware virtualisation' })

const fewWatches = 65_536
const fewInstances = 128
const fewFiles = 1024

/** Returns the checks of the machine that belong to no feature. */
export function machineChecks(machine: Machine): readonly Check[] {
  return [
    { id: 'process-table', title: 'Process table', run: () => processTable(machine) },
    { id: 'file-watches', title: 'File watches', run: () => fileWatches(machine) },
    { id: 'open-files', title: 'Open files', run: () => openFiles(machine) },
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
