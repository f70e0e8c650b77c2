import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { shortHash } from '../../../kernel/system/paths.ts'
import { environment, FakeDaemon, json, main, stream, type Test } from '../fake-daemon.ts'

const lines = [
  { time: '2026-01-01T00:00:00.000001Z', service: 'shop:web', stream: 'stdout', text: '\x1b[32mready\x1b[39m in 3 ms' },
  { time: '2026-01-01T00:00:00.000002Z', service: 'shop:queue', stream: 'stderr', text: '10%\r20%\r100%\r' },
  {
    time: '2026-01-01T00:00:00.000003Z',
    service: 'shop:web',
    stream: 'stdout',
    text: '\x1b[2J\x1b]0;title\x07\x1b(Bé\tü',
  },
]

/** A daemon with the services of `lines`. */
async function shop(t: Test): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.start(t)
  return daemon.on('GET /v1/services/keys', json({ keys: ['shop:web', 'shop:queue'] }))
}

t.test('prints lines as text and as JSON, and requests what the flags say', async t => {
  const daemon = await shop(t)
  daemon.on('GET /v1/logs', stream(...lines))
  const ran = await daemon.run(['logs'])
  t.match(ran, { code: 0, stdout: 'web   | ready in 3 ms\nqueue | 100%\nweb   | é\tü\n', stderr: '' })
  t.same(
    [...daemon.last('/v1/logs').query],
    [
      ['path', daemon.home],
      ['tail', '100'],
      ['each', 'true'],
    ],
  )
  t.same((await daemon.run(['logs', '--json'])).stdout, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  t.match((await daemon.run(['logs', '--all'])).stdout, 'shop:web   | ready')
  t.same([...daemon.last('/v1/services/keys').query.keys()], ['path', 'all'])
  const coloured = await daemon.run(['logs'], { env: { FORCE_COLOR: '1' } })
  t.match(coloured.stdout, '\x1b[36mweb   |\x1b[39m \x1b[32mready\x1b[39m in 3 ms\x1b[0m\n')
  t.match(coloured.stdout, '\x1b[35mqueue |\x1b[39m 100%\n')
  t.match(coloured.stdout, '\x1b[36mweb   |\x1b[39m é\tü\n')

  const before = Date.now()
  await daemon.run(['logs', '007', 'shop:08', '-fn', '08', '--since=10m', '--grep', '-+\\d'])
  t.equal(daemon.last('/v1/logs').query.has('grep'), false, 'a value that looks like a flag needs =')
  await daemon.run(['logs', '007', 'shop:08', '-fn08', '--since=10m', '--grep=-+\\d&x=1'])
  const { query } = daemon.last('/v1/logs')
  const asked = Object.fromEntries(query)
  t.match(asked, { tail: '8', grep: '-+\\d&x=1', follow: 'true' })
  t.same(query.getAll('service'), ['007', 'shop:08'])
  t.ok(Math.abs(Date.parse(asked['since'] ?? '') - (before - 600_000)) < 20_000)
  await daemon.run(['logs', '--since', '2026-01-02T03:04:05+01:00', '--all'])
  t.match(Object.fromEntries(daemon.last('/v1/logs').query), { since: '2026-01-02T02:04:05.000Z', all: 'true' })
  t.notOk(daemon.last('/v1/logs').query.has('tail'))
  t.match(await daemon.run(['logs', '--since', '999999999d']), { code: 2, stderr: /is neither a duration nor a time/ })
  t.match(await daemon.run(['logs', '--since', '1m', '--until', '2m']), { code: 2, stderr: /--since is after --until/ })
  t.match(await daemon.run(['logs', '-i']), { code: 2, stderr: /--ignore-case needs --grep/ })
  t.match(await daemon.run(['logs', '-i', '--grep', 'a', '--since', '2m', '--until', '1m']), { code: 0 })
})

t.test('joins lines and characters that are split between pieces', async t => {
  const daemon = await shop(t)
  const bytes = Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  daemon.on('GET /v1/logs', async response => {
    for (let at = 0; at < bytes.length; at += 7) {
      response.write(bytes.subarray(at, at + 7))
      await new Promise(resolve => setImmediate(resolve))
    }
    response.end()
  })
  t.equal((await daemon.run(['logs'])).stdout, 'web   | ready in 3 ms\nqueue | 100%\nweb   | é\tü\n')
})

t.test('prints an unfinished line in pieces while following, nothing of it twice', async t => {
  const daemon = await shop(t)
  const piece = (text: string, from?: number, time = '1') => ({
    ...{ time: `2026-01-01T00:00:00.00000${time}Z`, service: 'shop:web', stream: 'stdout', text },
    ...(from === undefined ? {} : { from }),
  })
  const other = { ...piece('between'), stream: 'stderr' }
  daemon.on(
    'GET /v1/logs',
    stream(
      ...[piece('Use another port?', 0), other, piece(' (Y/n)', 17), piece('Use another port? (Y/n) y')],
      ...[piece('\r10 %', 0, '2'), piece('\r20 %', 5, '2'), piece('\r10 %\r20 %\x1b[K\r', undefined, '2')],
      // As the next daemon begins with it again.
      ...[piece('a', 0, '3'), piece('ab', 0, '3'), piece('ab', undefined, '3'), piece('', undefined, '4')],
    ),
  )
  const texts = ['Use another port?', 'between', ' (Y/n)', ' y', '10 %', '20 %', 'a', 'b', '']
  t.equal((await daemon.run(['logs', '-f'])).stdout, texts.map(text => `web   | ${text}\n`).join(''))
  t.equal(daemon.last('/v1/logs').query.get('partial'), 'true')
  await daemon.run(['logs', '-f', '--json'])
  t.equal(daemon.last('/v1/logs').query.get('partial'), null, 'JSON has whole lines')
})

t.test('continues without a line twice or missing when the daemon exits', async t => {
  const daemon = await shop(t)
  daemon.on('GET /v1/logs', (response, { query }) => {
    response.write(query.has('resume') ? '' : `${JSON.stringify(lines[0])}\n`)
    setTimeout(() => response.destroy(), 50)
  })
  t.match(await daemon.run(['logs', '-f']), {
    code: 1,
    stdout: 'web   | ready in 3 ms\n',
    stderr: /^Error: lost connection to the daemon while reading logs \[DAEMON_UNREACHABLE\]\nHint: /,
  })

  t.comment('the next stream continues where it stopped')
  const more = (time: string, text: string) => ({ ...lines[0], time: `2026-01-01T00:00:00.${time}Z`, text })
  const parts = [
    [lines[0], more('000001', 'of the same moment')],
    [more('000001', 'a third'), more('000005', 'later')],
    [{ ...lines[1], time: '2100-01-01T00:00:00.000000Z', text: 'new' }],
  ]
  const asked: URLSearchParams[] = []
  daemon.on('GET /v1/logs', (response, { query }) => {
    const part = parts[asked.push(query) - 1] ?? []
    response.write(part.map(line => `${JSON.stringify(line)}\n`).join(''))
    if (asked.length < parts.length) setTimeout(() => response.destroy(), 50)
    else response.end()
  })
  const texts = ['ready in 3 ms', 'of the same moment', 'a third', 'later'].map(text => `web   | ${text}\n`)
  const ran = await daemon.run(['logs', '-fn', '5', '--grep', 'e'])
  t.match(ran, { code: 0, stdout: `${texts.join('')}queue | new\n`, stderr: '' })
  t.same([asked[0]?.get('tail'), asked[1]?.get('tail'), asked[1]?.get('grep')], ['5', null, 'e'])
  t.same(asked[1]?.getAll('resume'), [
    `2026-01-01T00:00:00.000001Z stdout ${shortHash('of the same moment', 16)} 1 shop:web`,
  ])
  t.same(asked[2]?.getAll('resume'), [`2026-01-01T00:00:00.000005Z stdout ${shortHash('later', 16)} 1 shop:web`])

  t.comment('one that has stopped with its services')
  daemon.on('GET /v1/logs', response => {
    response.write(`${JSON.stringify(lines[0])}\n`)
    setTimeout(() => void daemon.stop(), 50)
  })
  t.match(
    (await daemon.run(['logs', '-f'])).stderr,
    /\[DAEMON_UNREACHABLE\]\nHint: Run `locald up`: its services have stopped, too\./,
  )
})

t.test('stops quietly when the reader closes its pipe', async t => {
  const daemon = await shop(t)
  const closed = new Promise<void>(resolve => {
    daemon.on('GET /v1/logs', response => {
      const timer = setInterval(() => response.write(`${JSON.stringify(lines[0])}\n`.repeat(100)), 5)
      response.on('close', () => {
        clearInterval(timer)
        resolve()
      })
    })
  })
  const env = environment(daemon.home, { LOCALD_SOCKET: daemon.socket })
  const script = `"${process.execPath}" "${main}" logs -f; echo "code $?" >&2`
  const child = spawn('bash', ['-c', `{ ${script}; } | head -n 1`], { env })
  let out = ''
  let err = ''
  child.stdout.on('data', text => {
    out += text
  })
  child.stderr.on('data', text => {
    err += text
  })
  await once(child, 'close')
  t.same([out, err], ['web   | ready in 3 ms\n', 'code 0\n'])
  // The test's own deadline, should the daemon not notice.
  await closed
})

t.test('reads the daemon no faster than a slow reader takes stdout', async t => {
  const daemon = await shop(t)
  const line = Buffer.from(`${JSON.stringify({ ...lines[0], text: 'x'.repeat(1000) })}\n`.repeat(64))
  let written = 0
  daemon.on('GET /v1/logs', async response => {
    const limit = 200 * 1024 * 1024
    while (written < limit && !response.destroyed) {
      written += line.length
      if (!response.write(line)) await once(response, 'drain').catch(() => undefined)
    }
  })
  const env = environment(daemon.home, { LOCALD_SOCKET: daemon.socket })
  const child = spawn(process.execPath, [main, 'logs', '-f'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'readable')
  let before = -1
  const limit = Date.now() + 20_000
  while (before !== written && Date.now() < limit) {
    before = written
    await new Promise(resolve => setTimeout(resolve, 300))
  }
  t.ok(written < 8 * 1024 * 1024, `${written} bytes were taken from the daemon`)
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  child.stdout.resume()
  await closed
})
