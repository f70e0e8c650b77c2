import { once } from 'node:events'
import t from 'tap'
import { type Child, startChild } from '../../../plugins/lib/child.ts'
import { processList } from '../../lib/process-list.ts'
import { until } from '../../lib/running.ts'

const { isAlive } = processList

const env = { PATH: process.env['PATH'] ?? '' }

/** Starts a command with a second process, which outlives the first; returns the pids of tether, first and second. */
async function startTwo(): Promise<{ readonly child: Child; readonly pids: readonly number[] }> {
  const script = 'sleep 1000 & echo "$PPID $$ $!"; wait'
  const child = startChild({ argv: ['sh', '-c', script], env })
  const [line] = await once(child.stdout, 'data')
  return { child, pids: String(line).trim().split(' ').map(Number) }
}

t.test('a command exits with its code, and is given its input', async t => {
  const child = startChild({ argv: ['sh', '-c', 'cat; exit 3'], env, input: 'a\nb' })
  const said: string[] = []
  child.stdout.on('data', piece => said.push(String(piece)))
  t.equal(await child.exited, 3)
  t.equal(said.join(''), 'a\nb')
})

for (const [what, at] of [
  ['that run', undefined],
  ['that are left after its first was killed', 1],
] as const) {
  t.test(`a stop stops all processes of a command ${what}`, async t => {
    const { child, pids } = await startTwo()
    t.ok(pids.length === 3 && pids.every(isAlive), pids.join(' '))
    const victim = at === undefined ? undefined : pids[at]
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
    child.stop()
    await child.exited
    await until('the exit of all', () => !pids.some(isAlive))
  })
}

t.test('a command whose tether is killed exits', async t => {
  const { child, pids } = await startTwo()
  const [tether = 0] = pids
  process.kill(tether, 'SIGKILL')
  t.equal(await child.exited, null)
  await until('the exit of all', () => !pids.some(isAlive))
})
