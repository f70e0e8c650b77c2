import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { LogSink } from '../../../../kernel/contract/plugin.ts'
import { ServiceLog } from '../../../../kernel/logs/service-log.ts'
import { FileLog } from '../../../../plugins/container/logs/file-log.ts'
import { folder } from '../../../lib/log-model.ts'
import { onlyLinux } from '../../../lib/machine.ts'
import { until } from '../../../lib/running.ts'
import { fakeEngine } from '../fake-engine.ts'
import { ConmonFile, readLog } from './conmon.ts'

/** A service's log and the file of its container. */
function rig(t: Test) {
  const dir = folder(t)
  mkdirSync(join(dir, 'data'))
  const conmon = new ConmonFile(join(dir, 'data', 'container.log'))
  const log = new ServiceLog(join(dir, 'logs', 'p', 's'))
  const follow = (sink: LogSink = log) => {
    const signal = new AbortController().signal
    const follower = new FileLog({
      engine: fakeEngine(['false']),
      container: 'c',
      file: conmon.path,
      log: sink,
      isNew: false,
      signal,
    })
    t.teardown(() => follower.close())
    return follower
  }
  const read = async () => await readLog(log.file)
  const arrived = async () => {
    const count = conmon.lines.length
    await until(`${count} lines`, async () => (await read()).length >= count)
    t.strictSame(await read(), conmon.lines)
  }
  return { conmon, log, follow, read, arrived }
}

t.test('copies lines, parts, streams, bytes and times of an entry that comes in two writes', async t => {
  const { conmon, follow, read, arrived, log } = rig(t)
  const follower = follow()
  conmon.write('one')
  conmon.write('two', { stream: 'stderr', us: 0 })
  conmon.write(Buffer.from([0xff, 0x0d, 0x00]))
  await arrived()
  conmon.write('prompt> ', { isFull: false })
  await until('the prompt', async () => (await read()).at(-1)?.text === 'prompt> ')
  const entry = conmon.entry('late')
  writeFileSync(conmon.path, entry.subarray(0, 20), { flag: 'a' })
  await new Promise(wake => setTimeout(wake, 50))
  t.equal((await read()).at(-1)?.text, 'prompt> ')
  writeFileSync(conmon.path, entry.subarray(20), { flag: 'a' })
  await until('the rest', async () => (await read()).at(-1)?.text === 'prompt> late')
  await follower.drained()
  t.equal((await log.lastEntry())?.time, conmon.lines.at(-1)?.time)
  t.notOk(existsSync(conmon.path) || existsSync(`${conmon.path}.position`), 'its files are removed')
})

t.test('follows a file that appears late, is replaced, truncated and removed', async t => {
  const { conmon, follow, arrived } = rig(t)
  const follower = follow()
  await new Promise(wake => setTimeout(wake, 50))
  const changes = ['appear', 'rotate', 'truncate', 'rotate', 'remove'] as const
  for (const [index, change] of changes.entries()) {
    if (change === 'rotate' || change === 'truncate') conmon[change]()
    if (change === 'remove') rmSync(conmon.path)
    for (let line = 0; line < 3; line++) conmon.write(`${change} ${line}`)
    await arrived()
    // What is written directly before a change is still read; truncation deletes it.
    if (changes[index + 1] !== 'truncate') conmon.write('last before the next change')
  }
  await follower.drained()
  await arrived()
})

t.test('reads lines at the end of a replaced file that it sees too late', async t => {
  const { conmon, follow, arrived } = rig(t)
  follow()
  conmon.write('first')
  await arrived()
  for (let round = 0; round < 20; round++) {
    for (let line = 0; line < 50; line++) conmon.write(`old ${round} ${line}`)
    conmon.rotate()
    conmon.write(`new ${round}`)
    await arrived()
  }
})

t.test('follows when its folder is made later, removed and made again', async t => {
  const { conmon, follow, arrived } = rig(t)
  const data = join(conmon.path, '..')
  rmSync(data, { recursive: true })
  follow()
  for (let round = 0; round < 2; round++) {
    mkdirSync(data)
    conmon.write(`round ${round}`)
    await arrived()
    renameSync(data, `${data}-${round}`)
    await new Promise(wake => setTimeout(wake, 100))
  }
})

t.test('the next follower continues exactly, with and without a saved position', async t => {
  const { conmon, follow, arrived, log } = rig(t)
  for (let round = 0; round < 12; round++) {
    const follower = follow()
    // Many of the same microsecond, also over the end of a follower.
    for (let line = 0; line < 40; line++) {
      conmon.write(`${round} ${line}`, { us: line % 7 === 0 ? 1 : 0, stream: line % 2 === 0 ? 'stdout' : 'stderr' })
    }
    await arrived()
    follower.close()
    if (round % 3 === 1) await until('the position', () => existsSync(`${conmon.path}.position`))
    if (round % 3 === 2) rmSync(`${conmon.path}.position`, { force: true })
    for (let line = 0; line < 40; line++) conmon.write(`${round} meanwhile ${line}`, { us: 0 })
    log.write('locald', 'the daemon was restarted')
  }
  follow()
  await arrived()
})

t.test('a clock that is set back loses and repeats nothing', async t => {
  const { conmon, follow, arrived } = rig(t)
  for (const us of [1, -5_000_000, 1, -3_600_000_000]) {
    const follower = follow()
    for (let line = 0; line < 20; line++) conmon.write(`${us} ${line}`, { us: line === 10 ? us : 1 })
    await arrived()
    follower.close()
  }
})

t.test('ignores a position that is corrupt or of another file', async t => {
  const { conmon, follow, arrived } = rig(t)
  conmon.write('first')
  const before = follow()
  await arrived()
  before.close()
  const position = `${conmon.path}.position`
  const texts = ['', '{', '[]', '{"offset":"1"}', '{"offset":3,"before":"AAAA","unfinished":[]}', 'null']
  for (const text of texts) {
    writeFileSync(position, text)
    conmon.write(`after ${text}`)
    const follower = follow()
    await arrived()
    follower.close()
    await until('a new position', () => existsSync(position))
  }
  conmon.rotate()
  for (let line = 0; line < 20; line++) conmon.write(`another file, line ${line}`)
  follow()
  await arrived()
})

t.test('completes an unfinished line when the container has exited, which the next one would continue', async t => {
  const { conmon, follow, read } = rig(t)
  conmon.write('no newline', { isFull: false })
  conmon.write('neither', { isFull: false, stream: 'stderr' })
  await follow().drained()
  conmon.write('next container')
  await follow().drained()
  t.strictSame((await read()).map(({ text }) => text).sort(), ['neither', 'next container', 'no newline'])
})

t.test(
  'a full disk delays lines and loses none',
  { skip: onlyLinux('a tmpfs') || (process.getuid?.() !== 0 && 'only root may mount') },
  async t => {
    const { conmon, follow, read, arrived, log } = rig(t)
    const dir = join(log.file, '..')
    t.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status, 0)
    t.teardown(() => spawnSync('umount', [dir]))
    const filler = join(dir, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k'])
    for (let line = 0; line < 100; line++) conmon.write(`line ${line}`)
    follow()
    conmon.write('one more')
    await new Promise(wake => setTimeout(wake, 300))
    t.strictSame(await read(), [])
    truncateSync(filler)
    await arrived()
    // And at a container's exit it takes some seconds, then the file is kept.
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k'])
    conmon.write('x'.repeat(5000))
    const began = performance.now()
    await follow().drained()
    t.ok(performance.now() - began < 8000)
    t.ok(existsSync(conmon.path))
  },
)

t.test('reports once that the file cannot be read, and reads it when it can', async t => {
  const { conmon, follow, arrived, log } = rig(t)
  mkdirSync(conmon.path)
  follow()
  const written = () => (existsSync(log.file) ? readFileSync(log.file, 'utf8') : '')
  await until('the report', () => /locald F the container's output cannot be read: EISDIR/.test(written()))
  rmSync(conmon.path, { recursive: true })
  conmon.write('file')
  await arrived()
})
