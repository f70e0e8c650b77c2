import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, statSync } from 'node:fs'

import { join } from 'node:path'
import t from 'tap'
import { cleanEnvironment, makeFolder, removeFolder } from '../../lib/keeper.ts'
import { variants } from '../../lib/keeper-programs.ts'

const { release } = variants()

t.test('lock: admits one at a time, and is released when its holder is killed', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const words = ['lock', join(dir, 'lock'), '--']
  const first = spawn(release.path, [...words, 'sh', '-c', 'echo held; exec sleep 1000'], { env: cleanEnvironment() })
  t.teardown(() => {
    first.kill('SIGKILL')
  })
  await new Promise(resolve => first.stdout.once('data', resolve))
  const second = () => spawnSync(release.path, [...words, 'true'], { env: cleanEnvironment() }).status
  t.equal(second(), 75)
  const third = ['lock', '--held-ok', join(dir, 'lock'), '--', 'sh', '-c', 'exit 3']
  t.equal(spawnSync(release.path, third).status, 0, 'a service manager takes that for success, and starts no other')
  first.kill('SIGKILL')
  await new Promise(resolve => first.once('close', resolve))
  t.equal(second(), 0)
  t.equal(spawnSync(release.path, third).status, 3)
  t.equal(spawnSync(release.path, ['lock', '--held-ok', join(dir, 'lock'), 'true']).status, 64)
  t.equal(spawnSync(release.path, [...words, '/no/such/program']).status, 127)
  t.equal(spawnSync(release.path, ['lock', join(dir, 'no/such/lock'), '--', 'true']).status, 73)
  t.strictSame(readdirSync(dir), ['lock'])
  const fresh = join(dir, 'fresh')
  t.equal(spawnSync(release.path, ['lock', join(fresh, 'lock'), '--', 'true']).status, 0, 'its folder is made')
  t.equal(statSync(fresh).mode & 0o777, 0o700)
})

t.test('relock: the opener holds the lock while the file is open', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const path = join(dir, 'lock')
  const second = () => spawnSync(release.path, ['lock', path, '--', 'true'], { env: cleanEnvironment() }).status
  const relock = (file: number) => spawnSync(release.path, ['relock'], { stdio: [file, 'pipe', 'pipe'] }).status
  const [mine, other] = [openSync(path, 'w+'), openSync(path, 'r+')]
  t.equal(second(), 0)
  t.equal(relock(mine), 0)
  t.equal(second(), 75)
  t.equal(relock(other), 75)
  closeSync(mine)
  t.equal(second(), 0)
  t.equal(relock(other), 0)
  closeSync(other)
})
