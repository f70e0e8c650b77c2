import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { addressFile, type DaemonAddress, mayRun } from '../../../kernel/system/daemon-address.ts'
import { onlyLinux } from '../../lib/machine.ts'

/** A folder with a place in it, and the place of a pid. */
function placed(t: Test): { data: string; place: (pid: number) => DaemonAddress } {
  const data = mkdtempSync(`${tmpdir()}/locald-`)
  t.teardown(() => rmSync(data, { recursive: true }))
  return { data, place: pid => ({ pid, version: '0.1.0', runtime: data, socket: `${data}/locald.sock` }) }
}

t.test('a place written before the boot is stale, even if its pid is in use', async t => {
  const { data, place } = placed(t)
  t.equal(mayRun(data, place(process.pid)), false, 'it has written none')
  writeFileSync(addressFile(data), JSON.stringify(place(process.pid)))
  t.equal(mayRun(data, place(process.pid)), true)
  t.equal(mayRun(data, place(spawnSync('true').pid)), false, 'no process has its pid')
  const beforeS = Date.now() / 1000 - uptime() - 60
  utimesSync(addressFile(data), beforeS, beforeS)
  t.equal(mayRun(data, place(process.pid)), false)
})

t.test('a zombie daemon does not run', { skip: onlyLinux('reads /proc') }, async t => {
  const { data, place } = placed(t)
  const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => parent.kill())
  const pid = Number(String((await once(parent.stdout, 'data'))[0]))
  writeFileSync(addressFile(data), JSON.stringify(place(pid)))
  for (const end = performance.now() + 20_000; mayRun(data, place(pid)) && performance.now() < end; )
    await setTimeout(20)
  t.equal(mayRun(data, place(pid)), false)
  t.ok(process.kill(pid, 0), 'it is still listed')
})
