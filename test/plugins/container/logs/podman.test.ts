import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { OutputLine } from '../../../../kernel/logs/lines.ts'
import { criEntries } from '../../../../plugins/container/logs/cri-entries.ts'
import { noContainers } from '../../../lib/containers.ts'
import { until } from '../../../lib/running.ts'
import { FollowedSandbox } from './followed.ts'

const skip = noContainers

/** Writes to both streams until it gets SIGTERM: short lines, long ones, prompts, and bytes that are no UTF-8. */
const writer = `
i=0
trap 'stop=1' TERM
while [ -z "$stop" ]; do
  case $((i % 200)) in
    3) printf 'out %d %40000s\\n' $i x ;;
    13) printf 'err %d %40000s\\n' $i x >&2 ;;
    5) printf 'out %d ' $i; usleep 2000; echo answer ;;
    7) printf 'out %d \\377\\200\\n' $i ;;
    *) echo "out $i"; echo "err $i" >&2 ;;
  esac
  i=$((i + 1))
  [ $((i % 20)) = 0 ] && usleep 10000
done
echo "done $i"`

/** The lines that the writer has written on a stream before it is done. */
function expected(stream: 'out' | 'err', count: number): readonly string[] {
  const texts = Array.from({ length: count }, (_, i) => {
    const kind = i % 200
    const long = `${stream} ${i} ${'x'.padStart(40_000)}`
    if (kind === 3) return stream === 'out' ? long : undefined
    if (kind === 13) return stream === 'err' ? long : undefined
    if (kind === 5) return stream === 'out' ? `out ${i} answer` : undefined
    if (kind === 7) return stream === 'out' ? `out ${i} \ufffd\ufffd` : undefined
    return `${stream} ${i}`
  })
  return texts.filter(text => text !== undefined)
}

const texts = (lines: readonly OutputLine[]) => lines.map(({ text }) => text)

/** Names the first difference, as there are megabytes of lines. */
function isSame(t: Test, found: readonly string[], wanted: readonly string[]): void {
  const first = wanted.findIndex((text, index) => found[index] !== text)
  const what = `line ${first}: ${found[first]?.slice(0, 99)} for ${wanted[first]?.slice(0, 99)}`
  t.equal(first, -1, first < 0 ? 'the same lines' : what)
  t.equal(found.length, wanted.length)
}

const isNightly = process.env['LOCALD_NIGHTLY'] === '1'
for (const [by, kills] of [
  ['file', isNightly ? 50 : 15],
  ['client', isNightly ? 25 : 6],
] as const) {
  t.test(
    `every line is there once after ${kills} kills of what follows by ${by}`,
    { skip, timeout: 180_000 },
    async t => {
      const sandbox = new FollowedSandbox(t, by)
      const container = await sandbox.container(writer)
      for (let kill = 0; kill < kills; kill++) {
        const child = await sandbox.follow(container, kill === 0)
        await sleep(Math.random() * (by === 'file' ? 150 : 400))
        const exit = once(child, 'exit')
        child.kill('SIGKILL')
        await exit
      }
      await sandbox.ask('kill', '--signal', 'TERM', container)
      await sandbox.ask('wait', container)
      await sandbox.drain(await sandbox.follow(container))
      const out = texts(await sandbox.lines('stdout'))
      const count = Number(out.at(-1)?.replace('done ', ''))
      if (Number.isNaN(count)) throw new Error(`last: ${out.at(-1)}`)
      t.ok(count > 10 * kills, `${count} rounds`)
      isSame(t, out, [...expected('out', count), `done ${count}`])
      isSame(t, texts(await sandbox.lines('stderr')), expected('err', count))
      await until('the exit of all clients', () => !sandbox.processes().some(({ command }) => / logs /.test(command)))
    },
  )
}

t.test('a client that is killed is started again, and no line is lost', { skip, timeout: 120_000 }, async t => {
  const sandbox = new FollowedSandbox(t, 'client')
  const container = await sandbox.container(writer)
  const child = await sandbox.follow(container, true)
  const clients = () => sandbox.processes().filter(({ command }) => /^podman logs /.test(command))
  for (let kill = 0; kill < 5; kill++) {
    const [client] = await until('a client', () => clients().length > 0 && clients())
    await sleep(Math.random() * 300)
    if (client !== undefined) process.kill(client.pid, 'SIGKILL')
    await until('its exit', () => !clients().some(({ pid }) => pid === client?.pid))
  }
  await sandbox.ask('kill', '--signal', 'TERM', container)
  await sandbox.ask('wait', container)
  await sandbox.drain(child)
  const out = texts(await sandbox.lines('stdout'))
  const count = Number(out.at(-1)?.replace('done ', ''))
  isSame(t, out, [...expected('out', count), `done ${count}`])
  isSame(t, texts(await sandbox.lines('stderr')), expected('err', count))
})

t.test('a burst of 100,000 lines arrives whole', { skip, timeout: 120_000 }, async t => {
  const sandbox = new FollowedSandbox(t, 'file')
  const container = await sandbox.container('seq 100000; sleep 1000')
  const child = await sandbox.follow(container, true)
  const lines = await until('all lines', async () => {
    const found = await sandbox.lines('stdout')
    return found.length >= 100_000 && found
  })
  isSame(
    t,
    texts(lines),
    Array.from({ length: 100_000 }, (_, index) => String(index + 1)),
  )
  const written = criEntries(readFileSync(sandbox.file)).map(({ time }) => time)
  const copied = readFileSync(join(sandbox.folder, 'log'), 'latin1').trimEnd().split('\n')
  isSame(
    t,
    copied.map(line => line.slice(0, 27)),
    written,
  )
  await sandbox.ask('kill', container)
  await sandbox.ask('wait', container)
  await sandbox.drain(child)
  t.notOk(existsSync(sandbox.file))
})
