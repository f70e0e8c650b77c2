/** Projects outside of git whose folder is moved to another parent, or copied. */
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { RegistryAnswer } from '../../kernel/protocol.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const skip = process.platform === 'linux' ? false : 'needs /proc/PID/cwd'

const toml = `[project]\nname = "shop"\n[services.web]\ncommand = "echo up; exec sleep 100011"\nhealth_check = { type = "log", pattern = "up" }\n`

/** Creates two projects of one name, so that the second has another one, and starts both. */
async function twoShops(box: Sandbox): Promise<{ readonly first: string; readonly second: string }> {
  const first = box.project('shop', { 'locald.toml': toml })
  const second = box.project('two/shop', { 'locald.toml': toml })
  await box.ok(['up'], { cwd: first })
  await box.ok(['up'], { cwd: second })
  return { first, second }
}

function move(box: Sandbox, from: string, to: string): string {
  const target = join(box.home, to)
  mkdirSync(dirname(target), { recursive: true })
  renameSync(from, target)
  return target
}

const known = async (box: Sandbox) => {
  const { projects }: RegistryAnswer = JSON.parse((await box.ok(['registry', 'list', '--json'])).stdout)
  return Object.fromEntries(projects.map(({ name, path }) => [name, path]))
}

t.test('a stopped project keeps its name, port and pin in its new folder, also with a new daemon', async t => {
  const box = new Sandbox(t)
  const { first, second } = await twoShops(box)
  const { port } = await box.service(second, 'web')
  await box.ok(['registry', 'pin', 'shop-two'])
  await box.ok(['stop', 'shop-two'])
  const { pid } = await box.server()
  process.kill(pid, 'SIGTERM')
  await until('the daemon to exit', () => !processList.isAlive(pid))
  const moved = move(box, second, 'other/deep/shop')
  const up = await box.ok(['up'], { cwd: moved })
  t.match(up.stderr, `shop-two was moved here from ${second}; names, ports and data stay`)
  t.match(await box.service(moved, 'web'), { key: 'shop-two:web', port, status: 'running' })
  t.match(await known(box), { shop: first, 'shop-two': moved })
  t.notMatch((await box.ok(['up'], { cwd: moved })).stderr, 'was moved here', 'once')
  t.match(
    (await box.ok(['registry', 'list', '--json'])).stdout.replaceAll(/\s/g, ''),
    new RegExp(`"path":"${moved}","domain":"shop-two.localhost","pinned":true`),
  )
})

t.test('a running project runs on until it is started in its new folder', { skip }, async t => {
  const box = new Sandbox(t)
  const { second } = await twoShops(box)
  const before = await box.service(second, 'web')
  const deleted = box.project('deleted', { 'locald.toml': toml.replace('shop', 'deleted') })
  await box.ok(['up'], { cwd: deleted })
  const moved = move(box, second, 'other/deep/shop')
  rmSync(deleted, { recursive: true })
  await until('the deleted project to be stopped', async () =>
    (await box.status()).some(({ project, reason }) => project === 'deleted' && reason === 'its folder was deleted'),
  )
  const [now] = (await box.status()).filter(({ project }) => project === 'shop-two')
  t.match(now, { pid: before.pid, status: 'running', reason: `the folder ${second} was moved to ${moved}` })
  t.match((await box.ok(['why', 'web'], { cwd: moved })).stdout, 'was moved to', 'it is found from its new folder')
  mkdirSync(join(moved, 'sub'))
  for (const cwd of [moved, join(moved, 'sub')])
    t.match((await box.ok(['status'], { cwd })).stdout, /^ *web +Running[\s\S]*was moved to/m, 'also with its status')
  t.match((await box.ok(['up'], { cwd: moved })).stderr, 'shop-two was moved here')
  const after = await box.service(moved, 'web')
  t.match(after, { key: 'shop-two:web', port: before.port, status: 'running' })
  t.not(after.pid, before.pid)
  t.equal(box.processes().filter(({ command }) => command === 'sleep 100011').length, 2)
})

t.test('a copy is another project, also once the first one is deleted', async t => {
  const box = new Sandbox(t)
  const { first, second } = await twoShops(box)
  const copy = join(box.home, 'copy', 'shop')
  cpSync(second, copy, { recursive: true, preserveTimestamps: true })
  t.notMatch((await box.ok(['up'], { cwd: copy })).stderr, 'was moved')
  const late = join(box.home, 'late', 'shop')
  cpSync(second, late, { recursive: true, preserveTimestamps: true })
  await box.ok(['stop', 'shop-two'])
  rmSync(second, { recursive: true })
  t.notMatch((await box.ok(['up'], { cwd: late })).stderr, 'was moved')
  t.match(await known(box), { shop: first, 'shop-two': second, 'shop-copy': copy, 'shop-late': late })
})
