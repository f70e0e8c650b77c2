import { spawnSync } from 'node:child_process'
import { cli as main, program } from '../folders.ts'
import { Locald, listeners } from '../locald.ts'
import { interleave, median, timed } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { childrenMs } from '../processes.ts'
import type { Found, Row } from '../report.ts'

/** Measures short commands, with the daemon running, against an empty Node.js program. */
export async function cli({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const locald = new Locald(listeners(await freePorts(3, 31_000), program('listener')))
  try {
    locald.run('up')
    const run = (words: readonly string[]) => async () => {
      const before = childrenMs()
      const wall = await timed(() => {
        const { status } = spawnSync(process.execPath, words, { cwd: locald.project, env: locald.env })
        if (status !== 0) throw new Error(`${words.join(' ')}: ${status}`)
      })
      return { wall, cpu: childrenMs() - before }
    }
    const results = await interleave(smoke ? 2 : 40, {
      'node -e 0': run(['-e', '0']),
      'locald status': run([main, 'status']),
      'locald status --json': run([main, 'status', '--json']),
      'locald ping': run([main, 'ping']),
      'locald --version': run([main, '--version']),
    })
    const [nothing, ...commands] = [...results].map(([what, runs]) => ({
      what,
      wall: median(runs.map(({ wall }) => wall)),
      // Counted in ticks of 10 ms: only the mean of many is significant.
      cpu: runs.reduce((sum, { cpu }) => sum + cpu, 0) / runs.length,
    }))
    if (nothing === undefined) throw new Error('no measurement')
    const of = 'of node -e 0'
    const rows = commands.flatMap(({ what, wall, cpu }): Row[] => {
      const ratio = wall / nothing.wall
      return [
        { what, value: wall, unit: 'ms', ratio, of, target: '<= 2.0x', met: ratio <= 2 },
        { what: '  … CPU', value: cpu, unit: 'ms', ratio: cpu / nothing.cpu, of },
      ]
    })
    rows.unshift(
      { what: nothing.what, value: nothing.wall, unit: 'ms' },
      { what: '  … CPU', value: nothing.cpu, unit: 'ms' },
    )
    return { bench: 'cli', about: 'short commands, a daemon runs', rows, skipped: [] }
  } finally {
    await locald.close()
  }
}
