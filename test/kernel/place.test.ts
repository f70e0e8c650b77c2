import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import t from 'tap'
import { mayRun, type Place, placeFile } from '../../kernel/place.ts'

t.test('a daemon that wrote its place before the machine started does not run, whoever has its pid', async t => {
  const data = mkdtempSync(`${tmpdir()}/locald-`)
  t.teardown(() => rmSync(data, { recursive: true }))
  const place = (pid: number): Place => ({ pid, version: '0.1.0', runtime: data, socket: `${data}/locald.sock` })
  t.equal(mayRun(data, place(process.pid)), false, 'it has written none')
  writeFileSync(placeFile(data), JSON.stringify(place(process.pid)))
  t.equal(mayRun(data, place(process.pid)), true)
  t.equal(mayRun(data, place(spawnSync('true').pid)), false, 'no process has its pid')
  const beforeS = Date.now() / 1000 - uptime() - 60
  utimesSync(placeFile(data), beforeS, beforeS)
  t.equal(mayRun(data, place(process.pid)), false)
})
