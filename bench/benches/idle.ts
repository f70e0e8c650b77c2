import { program } from '../folders.ts'
import { Locald, listeners } from '../locald.ts'
import { median } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { used } from '../processes.ts'
import type { Found, Row } from '../report.ts'

const mega = 1e6

/** Measures the CPU and memory of a daemon with 50 idle services. */
export async function idle({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const count = smoke ? 3 : 50
  const seconds = smoke ? 1 : 30
  const locald = new Locald(listeners(await freePorts(count, 31_000), program('listener')))
  try {
    locald.run('up')
    await sleep(smoke ? 0 : 5)
    const all = locald.processes()
    const daemon = locald.daemon()
    const keepers = all.filter(({ command }) => command.includes('locald-keeper run'))
    const keepersBefore = keepers.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
    await sleep(seconds)
    const after = used(daemon.pid)
    const keepersAfter = keepers.map(({ pid }) => used(pid))
    const limits = (value: number, limit: number, target: string) => ({ value, target, met: value <= limit })
    const rows: Row[] = [
      { what: `daemon: CPU in ${seconds} s`, unit: 'ms', ...limits(after.cpuMs - daemon.cpuMs, 60, '<= 60 ms') },
      { what: 'daemon: RSS', unit: 'MB', ...limits(after.rss / mega, 90, '<= 90 MB') },
      { what: 'daemon: PSS', unit: 'MB', value: after.pss / mega },
      {
        what: 'keeper: RSS, the largest',
        unit: 'MB',
        ...limits(Math.max(...keepersAfter.map(({ rss }) => rss)) / mega, 1.5, '<= 1.5 MB'),
      },
      { what: 'keeper: PSS', unit: 'MB', value: median(keepersAfter.map(({ pss }) => pss)) / mega },
      {
        what: `all keepers: CPU in ${seconds} s`,
        unit: 'ms',
        value: keepersAfter.reduce((sum, { cpuMs }) => sum + cpuMs, 0) - keepersBefore,
      },
    ]
    return { bench: 'idle', about: `${count} idle services`, rows, skipped: [] }
  } finally {
    await locald.close()
  }
}

function sleep(seconds: number): Promise<void> {
  return new Promise(wake => setTimeout(wake, seconds * 1000))
}
