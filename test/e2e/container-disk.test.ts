import t from 'tap'
import type { DiskAnswer } from '../../kernel/protocol.ts'
import { ContainerSandbox, engineName, noContainers } from '../lib/containers.ts'
import { configuration } from '../lib/containers-project.ts'
import { callApi } from '../lib/dashboard.ts'

const projectOf = (image: string) =>
  configuration('shop', { web: { image, container_port: 80, volumes: ['content:/content'] } })

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
