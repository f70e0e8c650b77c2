/** The benches run: tiny, without peers; their figures mean nothing and are not judged. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../lib/user.ts'

const benches = { cli: 10, start: 6, idle: 6, output: 12, restart: 8 } as const
const main = join(root, 'build', 'bench', 'main.js')

t.test('runs every benchmark in a small size', { timeout: 240_000 }, async t => {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  const words = [main, '--smoke', ...Object.keys(benches)]
  const ran = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 200_000, env })
  t.equal(ran.status, 0, ran.stderr)
  for (const [name, count] of Object.entries(benches)) {
    t.match(ran.stdout, new RegExp(`^${name}: `, 'm'))
    const { rows }: { rows: readonly { what: string; value: number }[] } = JSON.parse(
      readFileSync(join(root, 'build', 'bench', `${name}-smoke.json`), 'utf8'),
    )
    t.equal(rows.length, count, name)
    t.ok(
      rows.every(({ value }) => Number.isFinite(value)),
      `${name}: ${JSON.stringify(rows)}`,
    )
  }
  const lost: { rows: readonly { what: string; value: number }[] } = JSON.parse(
    readFileSync(join(root, 'build', 'bench', 'output-smoke.json'), 'utf8'),
  )
  t.strictSame(
    lost.rows.filter(({ what }) => what.includes('lost')).map(({ value }) => value),
    [0, 0, 0, 0],
  )
})

t.test('rejects an unknown benchmark', async t => {
  const ran = spawnSync(process.execPath, [main, 'spede'], { encoding: 'utf8' })
  t.equal(ran.status, 2)
  t.match(ran.stderr, /^no bench 'spede': cli, /)
})
