import { renameSync, rmSync } from 'node:fs'
import t from 'tap'
import type { CleanAnswer, DiskAnswer } from '../../kernel/protocol.ts'
import { ContainerSandbox, engineName, noContainers } from '../lib/containers.ts'
import { configuration } from '../lib/containers-project.ts'
import { callApi } from '../lib/dashboard.ts'

const projectOf = (image: string, name = 'shop') =>
  configuration(name, { web: { image, container_port: 80, volumes: ['content:/content'] } })

t.test('the use of the disk has the images and volumes of containers', { skip: noContainers }, async t => {
  const sandbox = new ContainerSandbox(t)
  const image = await sandbox.image('web')
  const folder = sandbox.project('shop', { 'locald.toml': projectOf(image) })
  await sandbox.up(folder)
  await sandbox.ok(['run', 'web', '--', 'sh', '-c', 'head -c 300000 /dev/zero > /content/big'], { cwd: folder })
  const { socket } = await sandbox.server()
  const { entries, complete } = await callApi<DiskAnswer>(socket, 'GET', '/v1/disk')
  t.equal(complete, true)
  const volume = entries.find(({ what }) => what === `${engineName} volume`)
  t.match(volume, { kind: 'other', name: /^locald-shop-content-/, project: 'shop', service: null, path: null })
  t.ok((volume?.bytes ?? 0) >= 300_000 && (volume?.bytes ?? 0) < 1_000_000, `${volume?.bytes} bytes`)
  const used = entries.find(({ what }) => what === `${engineName} image`)
  t.match(used, { name: image.includes(':') ? image : `${image}:latest`, path: null })
  t.ok((used?.bytes ?? 0) > 100_000, `${used?.bytes} bytes`)
})

t.test('clean removes the volumes of deleted folders with --data, and of no other', { skip: noContainers }, async t => {
  const sandbox = new ContainerSandbox(t)
  const image = await sandbox.image('web')
  const folders = new Map<string, string>()
  for (const name of ['deleted', 'renamed', 'moved']) {
    const folder = sandbox.project(name, { 'locald.toml': projectOf(image, name) })
    folders.set(name, folder)
    await sandbox.up(folder)
    await sandbox.ok(['stop'], { cwd: folder })
  }
  const at = (name: string) => folders.get(name) ?? ''
  renameSync(at('renamed'), `${at('renamed')}-now`)
  const moved = sandbox.project('elsewhere/parent', {})
  renameSync(at('moved'), `${moved}/moved`)
  await sandbox.up(`${moved}/moved`)
  await sandbox.ok(['stop'], { cwd: `${moved}/moved` })
  rmSync(at('deleted'), { recursive: true })
  const volumes = async () => (await sandbox.ask('volume', 'ls', '--format', '{{.Name}}')).split('\n').sort()
  const all = await volumes()
  t.match(all, [/^locald-deleted-content-/, /^locald-moved-content-/, /^locald-renamed-content-/])

  const clean = (...flags: readonly string[]) => sandbox.ok(['registry', 'clean', ...flags])
  const dry = await clean('--dry-run', '--data')
  t.match(dry.stdout, new RegExp(`^Would remove the ${engineName} volume of deleted \\(.*\\): ${all[0]}$`, 'm'))
  t.notMatch(dry.stdout, /(?:data|volume) of (?:moved|renamed)/)
  t.match(
    (await clean()).stderr,
    new RegExp(`^Kept the ${engineName} volume of deleted \\(.*\\): ${all[0]}; run `, 'm'),
  )
  t.strictSame(await volumes(), all, 'nothing is removed yet')
  const { data, forgotten }: CleanAnswer = JSON.parse((await clean('--data', '--json')).stdout)
  const [volume] = data.filter(({ name }) => name !== null)
  t.match(volume, { project: 'deleted', name: all[0], path: null, removed: true })
  t.ok(data.every(({ project }) => project === 'deleted'))
  t.match(forgotten, [{ name: 'deleted' }])
  t.strictSame(await volumes(), all.slice(1))
})
