import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eachVariant, keeperTest, ownFolder } from '../../lib/keeper.ts'
import { buildTestProgram, type Variant, variants } from '../../lib/keeper-programs.ts'
import { until } from '../../lib/running.ts'

const { release, asan, xnu } = variants()

const testProgram = buildTestProgram(ownFolder(t))

eachVariant(t, [asan, release, xnu], notified)

function notified(t: Test, variant: Variant) {
  keeperTest(t, variant, 'sd_notify: ready, status, sender', async (t, start, dir) => {
    const script = `${testProgram} notify 'READY=1\nSTATUS=50 % of "é"\nX_OTHER=1'; ${testProgram} notify 'STOPPING=1\nMAINPID=42'; exec sleep 1000`
    const one = start(['sh', '-c', script], { args: ['--notify', join(dir, 'n')] })
    const first = await one.line.next('notify')
    t.match(first, { ready: true, stopping: false, reloading: false, status: '50 % of "é"', mainpid: null })
    const second = await one.line.next('notify')
    t.match(second, { ready: false, stopping: true, reloading: false, status: null, mainpid: 42 })
    await one.logged(/F \d+\n[\s\S]*F \d+\n/)
    const pids = one.entries.map(([, , text]) => Number(text))
    const senders = process.platform === 'linux' && variant !== xnu ? pids : [0, 0]
    t.strictSame([first['pid'], second['pid']], senders, 'other systems do not name the sender')
    t.match(await one.line.state(), { notify: { ready: true, status: '50 % of "é"', pid: second['pid'] } })
    t.equal(statSync(join(dir, 'n')).mode & 0o777, 0o600)
  })

  keeperTest(t, variant, 'sd_notify: passes a barrier and keeps no descriptor', async (t, start, dir) => {
    const script = `for i in 1 2 3 4 5 6 7 8 9 10; do ${testProgram} barrier; done; ls /proc/$PPID/fd | wc -l | tr -d ' '; exec sleep 1000`
    const one = start(['sh', '-c', script], { args: ['--notify', join(dir, 'n')] })
    await one.logged(/(barrier passed\n[\s\S]*){10}F \d+\n/)
    const count = Number(one.entries.at(-1)?.[2])
    if (process.platform === 'linux') t.ok(count < 16, `${count} descriptors`)
  })

  keeperTest(t, variant, 'sd_notify: garbage is ignored', async (t, start, dir) => {
    const one = start(['sh', '-c', `${testProgram} garbage; ${testProgram} notify 'STATUS=\xff'; exec sleep 1000`], {
      args: ['--notify', join(dir, 'n')],
    })
    t.match(await one.line.next('notify'), { ready: false, status: String })
    t.strictSame(
      one.line.events.filter(({ event }) => event === 'notify'),
      [],
    )
  })

  keeperTest(
    t,
    variant,
    'sd_notify: summarizes a flood for a slow client, without disconnecting it',
    async (t, start, dir) => {
      const one = start(
        ['sh', '-c', `sleep 0.1; ${testProgram} flood; ${testProgram} notify READY=1; exec sleep 1000`],
        {
          args: ['--notify', join(dir, 'n')],
        },
      )
      await one.line.next('started')
      one.line.socket.pause()
      const other = await one.connect()
      other.socket.on('data', () => {})
      await until('ready', async () => JSON.stringify(await other.state()).includes('"ready":true'))
      one.line.socket.resume()
      for (;;) if ((await one.line.next('notify'))['ready'] === true) break
      t.notOk(one.line.closed)
      t.match(await one.line.state(), { notify: { status: 'done' } })
    },
  )

  const systemd = spawnSync('systemd-notify', ['--version']).status === 0
  const skip = !systemd && 'systemd-notify is not installed'
  keeperTest(
    t,
    variant,
    'sd_notify: accepts systemd-notify',
    async (t, start, dir) => {
      const script = 'systemd-notify --ready --status="all well"; exec sleep 1000'
      const one = start(['sh', '-c', script], { args: ['--notify', join(dir, 'n')] })
      t.match(await one.line.next('notify'), { ready: true, status: 'all well' })
    },
    skip,
  )
}
