import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import t, { type Test } from 'tap'
import { eachVariant, isAlive, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { until } from '../../lib/running.ts'

const { release, asan, walk, xnu } = variants()

const testProgram = buildTestProgram(ownFolder(t))

const linux = process.platform === 'linux'

const { SIGTERM, SIGUSR1 } = constants.signals

eachVariant(t, [asan, walk, release, xnu], stops)

function stops(t: Test, variant: Variant) {
  keeperTest(t, variant, 'stop: the signal goes to the group, also to stopped processes', async (t, start) => {
    const one = start([
      'sh',
      '-c',
      'trap "echo bye; exit 3" TERM; echo up; kill -STOP $$; while :; do sleep 0.02; done',
    ])
    const { pid } = await one.line.next('started')
    await one.logged('up')
    if (linux) await until('stopped', () => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    one.line.send(`stop ${SIGTERM} 10000`)
    t.match(await one.line.next('exit'), { code: 3 })
    t.match(one.log, 'bye')
  })

  for (const [depth, args] of [
    ['5', []],
    ['0', ['--group-only']],
  ] as const) {
    keeperTest(
      t,
      variant,
      `stop: kills what ignores the signal after the grace period, ${depth} deep`,
      async (t, start) => {
        const one = start([testProgram, 'stubborn', depth], { args })
        const { pid } = await one.line.next('started')
        await one.logged('deep')
        const before = Date.now()
        one.line.send(`stop ${SIGTERM} 200`)
        t.match(await one.line.next('exit'), { code: null, signal: 'SIGKILL' })
        const took = Date.now() - before
        t.ok(took >= 195 && took < 5000, `after ${took} ms`)
        t.notOk(isAlive(Number(pid)))
      },
    )
  }

  keeperTest(t, variant, 'stop: a second stop only shortens the grace period', async (t, start) => {
    const one = start([testProgram, 'stubborn', '0'])
    await one.logged('deep')
    one.line.send(`stop ${SIGTERM} 60000`)
    one.line.send(`stop ${SIGTERM} 100`)
    one.line.send(`stop ${SIGTERM} 60000`)
    t.match(await one.line.next('exit'), { signal: 'SIGKILL' })
  })

  keeperTest(t, variant, 'SIGTERM to the keeper stops the service with the defaults', async (t, start) => {
    const script = 'trap "echo int; exit 4" INT; echo up; while :; do sleep 0.02; done'
    const one = start(['sh', '-c', script], {
      args: ['--stop-signal', String(constants.signals.SIGINT), '--stop-ms', '9000'],
    })
    await one.logged('up')
    one.process.kill('SIGTERM')
    t.match(await one.line.next('exit'), { code: 4 })
  })

  keeperTest(t, variant, 'signal: reaches the main process while it runs', async (t, start) => {
    const one = start([
      'sh',
      '-c',
      `trap 'echo usr1' USR1; trap 'sleep 1000 & exit 0' USR2; echo up; while :; do sleep 0.02; done`,
    ])
    await one.logged('up')
    one.line.send(`signal ${SIGUSR1}`)
    await one.logged('usr1')
    one.line.send(`signal ${constants.signals.SIGUSR2}`)
    await one.line.next('main')
    one.line.send(`signal ${SIGUSR1}`)
    t.match(await one.line.next('error'), { error: 'the main process has exited' })
  })
}
