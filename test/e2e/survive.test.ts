import { setTimeout } from 'node:timers/promises'
import type { ServiceView } from '../../kernel/events.ts'
import { isAlive } from './processes.ts'
import { printer } from './programs.ts'
import { until } from './running.ts'
import type { Sandbox } from './sandbox.ts'
import { onEach } from './suite.ts'

const kills = 10
/** Within so long of the next command a name answers again; the median of all kills, for a busy machine is late now and then: ms. */
const answersMs = 2000

onEach(
  'killed ten times while services print, nothing is lost',
  async (t, machine) => {
    const box = machine.sandbox()
    const folder = box.project('printers', {
      'locald.toml': `
        [project]
        name = "printers"
        [services.term]
        command = "exec ${process.execPath} printer.mjs 2000"
        [services.pipe]
        command = "exec ${process.execPath} printer.mjs 2000"
        tty = false
      `,
      'printer.mjs': printer,
    })
    await box.up(folder)
    const first = await pids(box, folder)
    const took: number[] = []
    for (let round = 0; round < kills; round++) {
      await kill(box)
      // Time in which nobody but the keepers takes what is printed.
      await setTimeout(200)
      const began = performance.now()
      t.same(await pids(box, folder), first, 'the next command finds the same processes')
      const answer = await answers(box, 'term')
      await answers(box, 'pipe')
      took.push(performance.now() - began)
      t.equal(answer.pid, first.get('term'))
    }
    const median = took.toSorted((a, b) => a - b)[Math.floor(kills / 2)] ?? Number.NaN
    t.ok(median < answersMs, `names answer within ${answersMs} ms: ${took.map(Math.round).join(', ')}`)
    for (const name of ['term', 'pipe']) {
      const { count } = await answers(box, name)
      const lines = await box.logs(folder, [name, '-n', '10000000'])
      const numbers = lines.map(({ text }) => Number(text.split(' ')[0]))
      t.ok(numbers.length >= count, `${name}: ${numbers.length} lines of at least ${count}`)
      const odd = numbers.findIndex((number, index) => number !== index)
      t.equal(odd, -1, `${name}: each line once and in order; at ${odd}: ${numbers.slice(odd - 2, odd + 3)}`)
    }
  },
  { timeout: 300_000 },
)

/** SIGKILLs the daemon, and sees it gone. */
async function kill(box: Sandbox): Promise<void> {
  const { pid } = await box.server()
  process.kill(pid, 'SIGKILL')
  await until('the end of the daemon', () => !isAlive(pid))
}

async function pids(box: Sandbox, folder: string): Promise<ReadonlyMap<string, number | null>> {
  const views: readonly ServiceView[] = await box.status(folder)
  return new Map(views.map(({ name, pid }) => [name, pid]))
}

async function answers(box: Sandbox, name: string): Promise<{ readonly pid: number; readonly count: number }> {
  const { body } = await until(`an answer of ${name}`, async () => {
    const answer = await box.get(`${name}.printers.localhost`)
    return answer.status === 200 ? answer : undefined
  })
  return JSON.parse(body)
}
