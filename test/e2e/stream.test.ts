import { connect } from 'node:net'
import t from 'tap'
import type { LogLine, ServiceView } from '../../kernel/events.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { EventStream, type StreamEvent } from '../lib/event-stream.ts'
import { ask } from '../lib/raw-http.ts'
import { Sandbox } from '../lib/sandbox.ts'

const limitMs = 60_000

/** A service that prints numbered lines in bursts, then waits. */
function counter(lines: number): string {
  return `let n = 0
    const burst = () => {
      let text = ''
      for (let i = 0; i < 37 && n < ${lines}; i++) text += 'line ' + n++ + '\\n'
      process.stdout.write(text, () => n < ${lines} ? setTimeout(burst, 5) : setInterval(() => {}, 60_000))
    }
    burst()`
}

function isLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && 'text' in value && 'stream' in value
}

function linesOf({ topic, values }: StreamEvent): readonly LogLine[] {
  return topic === 'logs' ? values.filter(isLine) : []
}

/** Reads events until `isDone`, or throws after the limit. */
async function readUntil(stream: EventStream, isDone: (event: StreamEvent) => boolean): Promise<void> {
  const timer = setTimeout(() => stream.close(), limitMs)
  try {
    for await (const event of stream.events()) if (isDone(event)) return
    throw new Error('the stream was closed before the expected event')
  } finally {
    clearTimeout(timer)
  }
}

t.test('a client that is cut many times has every line once', async t => {
  const sandbox = new Sandbox(t)
  const { socket } = resolvePaths({ env: sandbox.env })
  const most = 8000
  const path = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"
      [services.a]\ntype = "worker"\ncommand = "exec ${process.execPath} count.js"
      [services.b]\ntype = "worker"\ncommand = "exec ${process.execPath} count.js"\n`,
    'count.js': counter(most),
  })
  await sandbox.ok(['server', 'start'])
  const query = 'topic=events&topic=logs&tail=10'
  const first = await EventStream.open({ socket, query })
  // Until the services are there: they are followed although the stream was there before them.
  let last = ''
  await readUntil(first, event => {
    last = event.id
    return event.topic === 'events'
  })
  first.close()
  const up = sandbox.up(path)
  const seen = new Map<string, string[]>()
  let cuts = 0
  for (let isDone = false; !isDone; cuts++) {
    const stream = await EventStream.open({ socket, query, after: last })
    let left = cuts < 40 ? 1 + (cuts % 3) : Number.POSITIVE_INFINITY
    const timer = setTimeout(() => stream.close(), limitMs)
    for await (const event of stream.events()) {
      last = event.id
      for (const { service, stream: output, text } of linesOf(event)) {
        if (output === 'stdout') seen.set(service, [...(seen.get(service) ?? []), text])
      }
      isDone = ['shop:a', 'shop:b'].every(key => (seen.get(key)?.length ?? 0) >= most)
      if (isDone || --left === 0) break
    }
    clearTimeout(timer)
    stream.close()
    if (!isDone && left > 0)
      throw new Error(`lines are missing: ${[...seen].map(([key, { length }]) => `${key} ${length}`)}`)
  }
  await up
  const expected = Array.from({ length: most }, (_, n) => `line ${n}`)
  t.ok(cuts > 10, `cut ${cuts} times`)
  for (const key of ['shop:a', 'shop:b']) t.strictSame(seen.get(key), expected, key)

  await t.test('the daemon that follows resumes the stream, too', async t => {
    await sandbox.ok(['server', 'restart'])
    const stream = await EventStream.open({ socket, query, after: last })
    const lines: string[] = []
    setTimeout(() => void sandbox.run(['restart', 'a'], { cwd: path }), 0)
    await readUntil(stream, event => {
      lines.push(...linesOf(event).flatMap(line => (line.stream === 'stdout' ? [line.text] : [])))
      return lines.length >= most
    })
    stream.close()
    t.strictSame(lines, expected)
  })
})

t.test('topics of one stream', async t => {
  const sandbox = new Sandbox(t)
  const { socket, data } = resolvePaths({ env: sandbox.env })
  const manifest = { name: 'news', version: '1.0.0', type: 'module', exports: './index.js', locald: { api: 1 } }
  const folder = `${data}/plugins/node_modules/news`
  sandbox.write(`${folder}/package.json`, JSON.stringify(manifest))
  sandbox.write(
    `${folder}/index.js`,
    `export default { name: 'news', api: 1, setup(host) {
      host.topic({ name: 'news', open({ after, services, tail, push }) { push(String(Number(after ?? 0) + 1), [{ after, services, tail }]) } })
      host.topic({ name: 'broken', open() { throw new Error('no news today') } })
      let report
      const flooded = new Promise(resolve => { report = resolve })
      host.topic({ name: 'flood', async open({ signal, push }) {
        let sent = 0
        for (; !signal.aborted && sent < 1000; sent++) {
          push('', ['x'.repeat(100_000)])
          await new Promise(setImmediate)
        }
        report(sent)
      } })
      host.topic({ name: 'flooded', async open({ push }) { push('', [await flooded]) } })
    } }`,
  )
  const path = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "echo up; exec sleep 1000"\n`,
  })
  await sandbox.up(path)

  await t.test('each begins with what is there', async t => {
    const stream = await EventStream.open({
      socket,
      query: 'topic=events&topic=logs&topic=usage&topic=news&service=shop:web&tail=5',
    })
    const first = new Map<string, unknown>()
    let id = ''
    await readUntil(stream, event => {
      if (!first.has(event.topic)) first.set(event.topic, event.values[0])
      id = event.id
      return first.size === 4
    })
    stream.close()
    t.match(first.get('events'), {
      event: 'snapshot',
      services: [{ key: 'shop:web', status: 'running' }],
      projects: [{ name: 'shop', path }],
    })
    t.match(first.get('usage'), { services: [{ key: 'shop:web', memory: Number }], daemon: { memory: Number } })
    t.match(first.get('logs'), { service: 'shop:web', text: String })
    t.strictSame(first.get('news'), { services: ['shop:web'], tail: 5 })
    const resumed = await EventStream.open({ socket, query: `topic=news&after=${id}` })
    await readUntil(resumed, ({ values }) => {
      t.strictSame(values, [{ after: '1', services: [] }])
      return true
    })
    resumed.close()
  })

  await t.test('events arrive as they happen', async t => {
    const stream = await EventStream.open({ socket, query: 'topic=events' })
    const states: string[] = []
    await readUntil(stream, ({ values }) => {
      for (const value of values) {
        if (isSnapshot(value)) void sandbox.run(['stop'], { cwd: path })
        if (isServiceEvent(value)) states.push(value.service.status)
      }
      return states.at(-1) === 'stopped'
    })
    stream.close()
    t.strictSame(states.slice(-2), ['stopping', 'stopped'])
  })

  await t.test('a problem of one topic leaves the others', async t => {
    const stream = await EventStream.open({ socket, query: 'topic=broken&topic=evnts&topic=news' })
    const problems: unknown[] = []
    const topics = new Set<string>()
    await readUntil(stream, event => {
      topics.add(event.topic)
      if (event.topic === 'problem') problems.push(...event.values)
      return topics.has('news') && problems.length === 2
    })
    stream.close()
    t.match(problems, [
      { topic: 'broken', error: { code: 'INTERNAL', message: 'no news today' } },
      { topic: 'evnts', error: { code: 'REQUEST_INVALID', message: /unknown topic/, hint: /'events'/ } },
    ])
  })

  await t.test('a client that does not read is disconnected', async t => {
    const client = connect(socket).pause()
    client.on('error', () => {})
    client.write('GET /v1/stream?topic=flood HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const other = await EventStream.open({ socket, query: 'topic=flooded' })
    await readUntil(other, ({ values: [sent] }) => {
      t.ok(Number(sent) > 40 && Number(sent) < 400, `after ${Number(sent) / 10} MB`)
      return true
    })
    other.close()
    client.destroy()
  })

  await t.test('an invalid position is refused', async t => {
    const { status, body } = await ask({ path: socket }, '/v1/stream?topic=events&after=nonsense')
    t.equal(status, 400)
    t.match(JSON.parse(body), { error: { code: 'REQUEST_INVALID', message: /invalid position/ } })
    t.equal((await ask({ path: socket }, '/v1/stream')).status, 400)
  })
})

function isSnapshot(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'event' in value && value.event === 'snapshot'
}

function isServiceEvent(value: unknown): value is { readonly service: ServiceView } {
  return typeof value === 'object' && value !== null && 'event' in value && value.event === 'service'
}
