import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ServerStatus } from '../../kernel/protocol.ts'
import { Sandbox } from '../lib/sandbox.ts'

/** A user's own daemon; in a sandbox both folders are below one. */
function ofUser(t: Test): Sandbox {
  return new Sandbox(t, { env: { LOCALD_SANDBOX: '' } })
}

async function served(box: Sandbox, env: Readonly<Record<string, string>> = {}): Promise<ServerStatus> {
  return JSON.parse((await box.ok(['server', 'start', '--json'], { env })).stdout)
}

t.test('stays the only daemon when its lock and place files are removed', async t => {
  const box = ofUser(t)
  const first = await served(box)
  const data = join(box.home, 'data', 'locald')
  const other = join(box.home, 'run2')
  mkdirSync(other, { mode: 0o700 })
  box.own(other)
  for (const file of ['daemon.lock', 'daemon.json']) rmSync(join(data, file))
  t.equal((await served(box, { XDG_RUNTIME_DIR: other })).pid, first.pid, 'it is found from another runtime folder')

  rmSync(join(data, 'daemon.lock'), { force: true })
  const keeper = join(box.main, '..', '..', '..', 'build', 'native', 'locald-keeper')
  const daemon = join(box.main, '..', '..', 'kernel', 'daemon.js')
  const words = [keeper, 'lock', join(data, 'daemon.lock'), '--', process.execPath, daemon]
  const second = await box.spawn(words, { env: { XDG_RUNTIME_DIR: other } }).done
  t.equal(second.code, 75, 'one that gets the lock sees that the other serves')
  t.equal((await served(box)).pid, first.pid)
})

t.test('starts one daemon per data folder, also with a shared runtime folder', async t => {
  const box = ofUser(t)
  const other = { XDG_DATA_HOME: join(box.home, 'data2') }
  t.teardown(() => box.run(['server', 'shutdown'], { env: other }))
  for (const round of ['one after the other', 'both at once']) {
    const [first, second] =
      round === 'both at once'
        ? await Promise.all([served(box), served(box, other)])
        : [await served(box), await served(box, other)]
    t.not(first.pid, second.pid, round)
    t.not(first.socket, second.socket)
    t.equal((await served(box)).pid, first.pid)
    t.equal((await served(box, other)).pid, second.pid)
    await box.ok(['server', 'shutdown'])
    t.equal((await served(box, other)).pid, second.pid, 'one stops alone')
    await box.ok(['server', 'shutdown'], { env: other })
  }
})
