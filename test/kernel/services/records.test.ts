import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { moveRecords } from '../../../kernel/services/records/move-records.ts'
import type { ServiceRecord } from '../../../kernel/services/records/record.ts'
import { Records } from '../../../kernel/services/records/records.ts'
import { bootIn } from '../../../kernel/services/records/unread-records.ts'
import { folder } from '../../lib/log-model.ts'
import { quiet, recordingLog } from '../registry/projects.ts'

const record = (service: string, more: Partial<ServiceRecord> = {}): ServiceRecord => ({
  version: 1,
  path: '/p',
  service,
  state: { pid: 1 },
  ready: false,
  status: 'starting',
  reason: null,
  startedMs: 1,
  restarts: 0,
  port: 1,
  fingerprint: '',
  env: {},
  dir: '/p',
  ...more,
})

t.test('writes a new instance at once, and its changes soon and once', async t => {
  const dir = folder(t)
  const records = new Records(dir, quiet)
  records.saveService(record('a'))
  t.match(new Records(dir, quiet).services(), [{ service: 'a', ready: false }])
  const [file = ''] = readdirSync(join(dir, 'services'))
  const { ino } = statSync(join(dir, 'services', file))
  for (let round = 0; round < 50; round++) records.saveService(record('a', { ready: true, restarts: round }))
  t.equal(statSync(join(dir, 'services', file)).ino, ino, 'not yet')
  const deadline = Date.now() + 10_000
  while (statSync(join(dir, 'services', file)).ino === ino && Date.now() < deadline)
    await new Promise(wake => setTimeout(wake, 20))
  t.match(new Records(dir, quiet).services(), [{ ready: true, restarts: 49 }])
  records.saveService(record('a', { state: null, status: 'failed' }))
  records.flush()
  t.match(new Records(dir, quiet).services(), [{ state: null, status: 'failed' }])
  records.saveService(record('a', { state: { pid: 2 } }))
  t.match(new Records(dir, quiet).services(), [{ state: { pid: 2 } }])
  records.saveService(record('a', { state: { pid: 2 }, ready: true }))
  records.dropService('/p', 'a')
  records.flush()
  t.strictSame(new Records(dir, quiet).services(), [], 'dropped with what was to be written')
})

t.test('does not write the same content again, in the next daemon neither', async t => {
  const dir = folder(t)
  const first = new Records(dir, quiet)
  first.saveService(record('a', { ready: true }))
  const [file = ''] = readdirSync(join(dir, 'services'))
  const inode = () => statSync(join(dir, 'services', file)).ino
  const before = inode()
  for (const records of [first, new Records(dir, quiet)]) {
    records.services()
    records.saveService(record('a', { ready: true }))
    records.flush()
    t.equal(inode(), before)
  }
  first.dropService('/p', 'a')
  first.saveService(record('a', { ready: true }))
  t.match(first.services(), [{ service: 'a' }], 'what was removed is')
})

t.test('renames a file that is not a record, and logs it', async t => {
  const dir = folder(t)
  const log = recordingLog()
  const records = new Records(dir, log)
  records.saveService(record('a'))
  for (const [name, text] of [
    ['x.json', '{'],
    ['y.json', '{"version":2}'],
    ['z.json', 'null'],
    ['.tmp', '{'],
  ] as const)
    writeFileSync(join(dir, 'services', name), text)
  t.equal(records.services().length, 1)
  t.equal(log.lines.length, 3)
  const aside = new Records(dir, quiet).unread.list()
  t.strictSame(aside.map(({ text }) => text).sort(), ['null', '{', '{"version":2}'], 'kept aside')
  t.strictSame(aside.map(({ id }) => id).sort(), ['x', 'y', 'z'])
  t.equal(new Records(dir, quiet).services().length, 1)
  t.equal(log.lines.length, 3, 'once')
})

t.test('knows records of an earlier boot, after which a corrupt one expires', async t => {
  const dir = folder(t)
  const of = (boot: string | undefined) => Object.assign(new Records(dir, quiet), { boot })
  of(undefined).saveService(record('old'))
  of('a').saveService(record('a'))
  of('b').saveService(record('b'))
  const current = (boot: string | undefined) =>
    of(boot)
      .services()
      .filter(it => of(boot).isCurrent(it.boot))
      .map(({ service }) => service)
      .sort()
  t.strictSame(current('b'), ['b', 'old'], 'what says nothing may run')
  t.strictSame(current('a'), ['a', 'old'])
  t.strictSame(current(undefined), ['a', 'b', 'old'], 'nor is anything stopped where the present start is not known')
  writeFileSync(join(dir, 'services', 'x.json'), '{"version":2,"boot":"a","state":')
  of('b').services()
  const [aside] = of('b').unread.list()
  t.match(aside && [bootIn(aside), of('a').isCurrent(bootIn(aside)), of('b').isCurrent(bootIn(aside))], [
    'a',
    true,
    false,
  ])
})

t.test('renames a folder or pipe as well, without waiting for it', async t => {
  const dir = folder(t)
  const records = new Records(dir, quiet)
  records.saveService(record('a'))
  mkdirSync(join(dir, 'services', 'folder.json'))
  execFileSync('mkfifo', [join(dir, 'services', 'pipe.json')])
  t.match(records.services(), [{ service: 'a' }])
  t.strictSame(
    records.unread
      .list()
      .map(({ id, text }) => [id, text])
      .sort(),
    [
      ['folder', ''],
      ['pipe', ''],
    ],
  )
  records.clear()
  t.strictSame([records.services(), records.unread.list()], [[], []])
})

t.test('moves the records of an earlier version out of the runtime folder', async t => {
  const dir = folder(t)
  const [runtime, to] = [join(dir, 'run'), join(dir, 'data', 'running')]
  new Records(runtime, quiet).saveService(record('a', { restarts: 3 }))
  new Records(to, quiet).saveService(record('a'))
  moveRecords(runtime, to, quiet)
  t.match(new Records(to, quiet).services(), [{ service: 'a', restarts: 3 }])
  t.notOk(existsSync(join(runtime, 'services')))
  moveRecords(runtime, to, quiet)
  t.equal(new Records(to, quiet).services().length, 1)
})

t.test('continues when a record cannot be written', async t => {
  const dir = folder(t)
  const log = recordingLog()
  const records = new Records(dir, log)
  rmSync(join(dir, 'services'), { recursive: true })
  writeFileSync(join(dir, 'services'), '')
  records.saveService(record('a'))
  t.match(log.lines, [/could not write/])
})
