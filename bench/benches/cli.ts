import { spawnSync } from 'node:child_process'
import { cli as main, program } from '../folders.ts'
import { Locald, listeners } from '../locald.ts'
import { interleave, median, timed } from '../measure.ts'
import type { Found, Row } from '../report.ts'

/** Short commands, with a daemon that runs, against a Node that does nothing. */
export async function cli({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const locald = new Locald(listeners(3, program('listener')))
  try {
    locald.run('up')
    const run = (words: readonly string[]) => () =>
      timed(() => {
        const { status } = spawnSync(process.execPath, words, { cwd: locald.project, env: locald.env, stdio: 'ignore' })
        if (status !== 0) throw new Error(`${words.join(' ')}: ${status}`)
      })
    const results = await interleave(smoke ? 2 : 40, {
      'node -e 0': run(['-e', '0']),
      'locald status': run([main, 'status']),
      'locald status --json': run([main, 'status', '--json']),
      'locald ping': run([main, 'ping']),
      'locald --version': run([main, '--version']),
    })
    const nothing = median(results.get('node -e 0') ?? [])
    const rows = [...results].map(([what, values]): Row => {
      const value = median(values)
      if (what === 'node -e 0') return { what, value, unit: 'ms' }
      const ratio = value / nothing
      return { what, value, unit: 'ms', ratio, of: 'of node -e 0', target: '<= 2.0x', met: ratio <= 2 }
    })
    return { bench: 'cli', about: 'short commands, a daemon runs', rows, skipped: [] }
  } finally {
    await locald.close()
  }
}
