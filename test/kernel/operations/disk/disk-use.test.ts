import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ReadDisk } from '../../../../kernel/contract/plugin.ts'
import { DiskUse } from '../../../../kernel/operations/disk/disk-use.ts'

const block = Buffer.alloc(64 * 1024, 1)

function fill(...parts: readonly string[]): string {
  const file = join(...parts)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, block)
  return file
}

t.test('counts services, what plugins have, and the rest as one', async t => {
  const data = t.testdir()
  const elsewhere = t.testdir({ else: {} })
  fill(data, 'logs', 'shop', 'web', 'a.log')
  fill(data, 'services', 'shop', 'db', 'data')
  fill(data, 'well', 'record')
  fill(data, 'ca', 'key')
  fill(data, 'notes')
  fill(data, 'more', 'notes')
  fill(elsewhere, 'vm', 'disk')
  const plugin: ReadDisk = async () => [
    { what: 'certificates', path: join(data, 'ca') },
    { what: 'virtual machine', path: join(elsewhere, 'vm') },
    { what: 'podman volume', name: 'content', bytes: 7, project: 'shop' },
    { what: 'podman image', name: 'none', bytes: 0 },
    { what: 'missing', path: join(data, 'missing') },
  ]
  const { entries, bytes, complete, freeBytes } = await new DiskUse({ data, plugins: () => [plugin] }).measure()
  const shown = entries.map(({ what, name, project, service, path }) => [what, name, project, service, path])
  t.strictSame(shown.sort(), [
    ['certificates', null, null, null, join(data, 'ca')],
    ['data', null, 'shop', 'db', join(data, 'services', 'shop', 'db')],
    ['logs', null, 'shop', 'web', join(data, 'logs', 'shop', 'web')],
    ['other files of locald', null, null, null, data],
    ['podman volume', 'content', 'shop', null, null],
    ['records of healthy services', null, null, null, join(data, 'well')],
    ['virtual machine', null, null, null, join(elsewhere, 'vm')],
  ])
  t.ok(bytes >= 7 * block.length + 7 && bytes < 8 * block.length, `${bytes}`)
  t.equal(complete, true)
  t.ok(freeBytes > 0)
})

t.test('a plugin that fails makes the count incomplete, and hides nothing else', async t => {
  const data = t.testdir()
  fill(data, 'logs', 'shop', 'web', 'a.log')
  const failing: ReadDisk = async () => {
    throw new Error('the engine does not answer')
  }
  const other: ReadDisk = async () => [{ what: 'podman volume', name: 'content', bytes: 7 }]
  const answer = await new DiskUse({ data, plugins: () => [failing, other] }).measure()
  t.equal(answer.complete, false)
  t.strictSame(
    answer.entries.map(({ what }) => what),
    ['logs', 'podman volume'],
  )
})
