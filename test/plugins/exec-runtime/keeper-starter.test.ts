import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KeeperStarter } from '../../../plugins/exec-runtime/keeper-starter.ts'
import { makeFolder, removeFolder } from '../../lib/keeper.ts'
import { native } from './harness.ts'

t.test("starts 250 keepers at once, more than a socket's queue holds", async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const starter = new KeeperStarter(join(native, 'locald-keeper'), () => join(dir, 'starter.s'))
  const launch = { argv: ['/usr/bin/true'], dir, env: {} }
  const links = await Promise.all(Array.from({ length: 250 }, () => starter.start(launch)))
  t.notOk(links.includes(undefined), 'none is refused')
  await Promise.all(links.map(connection => connection?.closed))
})

t.test("loses no start when the starter's socket is deleted", async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const paths: string[] = []
  const starter = new KeeperStarter(join(native, 'locald-keeper'), () => {
    const path = join(dir, `starter-${paths.length}.s`)
    paths.push(path)
    return path
  })
  const launch = { argv: ['/bin/sh', '-c', 'echo \'{"event":"said"}\' >&3'], dir, env: {} }
  const said = async () => (await (await starter.start(launch))?.next('said'))?.event
  t.equal(await said(), 'said')
  for (let round = 0; round < 5; round++) {
    const before = Array.from({ length: 10 }, said)
    rmSync(paths.at(-1) ?? '')
    t.strictSame(new Set(await Promise.all([...before, ...Array.from({ length: 10 }, said)])), new Set(['said']))
  }
})

t.test('fails with EMFILE when no descriptor is left', async t => {
  const dir = makeFolder()
  t.teardown(() => removeFolder(dir))
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    const { openSync } = await import('node:fs')
    const { KeeperStarter } = await import(${at('../../../plugins/exec-runtime/keeper-starter.js')})
    const starter = new KeeperStarter(${JSON.stringify(join(native, 'locald-keeper'))}, () => ${JSON.stringify(join(dir, 's'))})
    try { for (;;) openSync('/dev/null', 'r') } catch {}
    const link = await starter.start({ argv: ['/usr/bin/true'], dir: '/', env: {} })
    process.stdout.write(String(link) + ' ' + starter.problem)`
  const words = ['ulimit -n 40; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script]
  const ran = spawnSync('/bin/sh', ['-c', ...words], { encoding: 'utf8', env: { PATH: process.env['PATH'] } })
  t.equal(ran.stdout, 'undefined EMFILE', ran.stderr)
})
