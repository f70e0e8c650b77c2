import { once } from 'node:events'
import { connect } from 'node:net'
import { systemCode } from '../../kernel/errors.ts'
import { ask, Mute } from '../lib/raw-http.ts'
import { MB, Target } from './hostile-target.ts'
import { onHost } from './suite.ts'

onHost('answers malformed requests with errors and stays small', async (t, machine) => {
  const target = await Target.start(machine, 'quiet.mjs')
  const { api, proxy, host, folder } = target
  const path = JSON.stringify(folder)
  const bad: readonly (readonly [string, string, string | undefined, number])[] = [
    ['POST', '/v1/projects/up', '{"path": ', 400],
    ['POST', '/v1/projects/up', '', 400],
    ['POST', '/v1/projects/up', 'null', 400],
    ['POST', '/v1/projects/up', '[]', 400],
    ['POST', '/v1/projects/up', '"text"', 400],
    ['POST', '/v1/projects/up', '{}', 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": null}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": []}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {"A": {}}}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "services": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "services": [null, {}]}`, 400],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "surprise": 1}`, 400],
    ['POST', '/v1/projects/up', `{"path": {}, "env": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": "relative", "env": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": "/${'x'.repeat(5000)}", "env": {}}`, 400],
    ['POST', '/v1/projects/up', `{"path": "/\\u0000", "env": {}}`, 404],
    ['POST', '/v1/projects/up', `{"path": "/nowhere/at/all", "env": {}}`, 404],
    ['POST', '/v1/projects/up', `{"path": ${path}, "env": {}, "services": ["__proto__"]}`, 404],
    ['POST', '/v1/projects/up', `{"__proto__": {"path": "/"}, "path": ${path}, "env": {}}`, 400],
    ['POST', '/v1/projects/stop', `{"path": ${path}, "all": "perhaps"}`, 400],
    ['POST', '/v1/services/wait', `{"path": ${path}, "timeoutMs": 1e99}`, 400],
    ['POST', '/v1/services/wait', `{"path": ${path}, "timeoutMs": "soon"}`, 400],
    ['POST', '/v1/server/shutdown', '{}', 400],
    ['POST', '/v1/server/shutdown', '{"keepServices": null}', 400],
    ['POST', '/v1/commands/%00', `{"argv": [], "cwd": ${path}}`, 400],
    ['POST', '/v1/commands/constructor', `{"argv": [], "cwd": ${path}}`, 400],
    ['GET', '/v1/services', undefined, 400],
    ['GET', '/v1/services?path=%00', undefined, 400],
    ['GET', '/v1/services?path=/&path=/', undefined, 400],
    ['GET', `/v1/logs?path=${folder}&grep=(`, undefined, 400],
    ['GET', `/v1/logs?path=${folder}&tail=-1`, undefined, 400],
    ['GET', `/v1/logs?path=${folder}&since=soon`, undefined, 400],
    ['GET', `/v1/logs?path=${folder}&service=constructor`, undefined, 404],
    ['GET', `/v1/services/why?path=${folder}&service=__proto__`, undefined, 404],
    ['GET', '/v1/../../etc/passwd', undefined, 404],
    ['GET', '/%', undefined, 400],
    ['DELETE', '/v1/projects/up', undefined, 404],
    ['OPTIONS', '*', undefined, 404],
  ]
  for (const [method, where, body, status] of bad) {
    const reply = await ask(api, where, { method, ...(body === undefined ? {} : { body }) })
    t.equal(
      reply.status,
      status,
      `${method} ${where.slice(0, 60)} ${body?.slice(0, 80) ?? ''}: ${reply.body.slice(0, 200)}`,
    )
    const said: { error?: { code?: string } } = JSON.parse(reply.body)
    t.type(said.error?.code, 'string', 'says why')
  }
  const large = JSON.stringify({ path: folder, env: { A: 'x'.repeat(9 * MB) } })
  // It is not read to its end, so that the answer may be missed.
  const answer = await ask(api, '/v1/projects/up', { method: 'POST', body: large }).catch(systemCode)
  if (typeof answer === 'object') t.match(answer, { status: 400, body: /Send at most 4 MB/ })
  else t.match(answer, /^(EPIPE|ECONNRESET)$/)
  // One that is not read to its end may end the connection of a client that still writes, before it has read the
  // answer.
  const raw: readonly (readonly [string, RegExp])[] = [
    ['\0\0\0\0', /^HTTP\/1.1 400 /],
    ['GET\r\n\r\n', /^HTTP\/1.1 400 /],
    ['hello there\n\n', /^HTTP\/1.1 400 /],
    [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`, /^(HTTP\/1.1 431 |$)/],
    [`GET / HTTP/1.1\r\nHost: x\r\n${'A: x\r\n'.repeat(50_000)}\r\n`, /^(HTTP\/1.1 431 |$)/],
    [`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, /^(HTTP\/1.1 (431|414) |$)/],
    [
      'POST /v1/projects/up HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
    ['POST /v1/projects/up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', /^(HTTP\/1.1 400 |$)/],
    ['CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n', /^(HTTP\/1.1 4\d\d |$)/],
  ]
  for (const [words, answer] of raw) {
    for (const address of [api, proxy]) {
      const mute = await Mute.open(address, words.replace('Host: x', `Host: ${host}`))
      mute?.socket.end()
      const said = (await mute?.rest()) ?? ''
      t.match(
        said.slice(0, 100),
        answer,
        `${'path' in address ? 'socket' : 'proxy'}: ${JSON.stringify(words.slice(0, 60))}`,
      )
    }
  }
  // Read to its end, it is answered for sure. The proxy's heads may be larger than what one read takes.
  const one = await Mute.open(api, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`)
  t.match(await one?.rest(), /^HTTP\/1.1 431 /)
  await target.serves(t, 'after all of them')
  await target.over(t)
})

onHost(
  'serves others during 10,000 idle connections and half requests',
  async (t, machine) => {
    const target = await Target.start(machine, 'quiet.mjs')
    const { api, proxy, host } = target
    const kinds: readonly (readonly [string, number, string | Buffer])[] = [
      ['idle', 10_000, ''],
      ['half a head', 2000, `GET /v1/ping HTTP/1.1\r\nHost: ${host}\r\nA: `],
      [
        'half a body',
        1000,
        `POST /v1/projects/up HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n{"path": "${'x'.repeat(100_000)}`,
      ],
    ]
    for (const [kind, count, words] of kinds) {
      for (const [name, address] of [
        ['socket', api],
        ['proxy', proxy],
      ] as const) {
        // On macOS the proxy keeps descriptors for starting programs.
        const some = machine.os === 'darwin' && name === 'proxy' ? Math.min(count, 4000) : count
        const mutes = await Mute.many(some, address, words)
        await target.serves(t, `${some} times ${kind} at the ${name}:`)
        for (const mute of mutes) mute.close()
      }
    }
    await target.over(t)
  },
  { timeout: 300_000 },
)

onHost('answers a malformed request to the API with an error in JSON', async (t, machine) => {
  const target = await Target.start(machine, 'quiet.mjs')
  const sent: [text: string, status: number][] = [
    ['GARBAGE\r\n\r\n', 400],
    ['GET /v1/ping HTTP/1.2\r\nHost: x\r\n\r\n', 400],
    ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    [`GET /v1/ping HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
  ]
  for (const [text, status] of sent) {
    const mute = await Mute.open(target.api, text)
    const [head = '', body = ''] = (await mute?.rest())?.split('\r\n\r\n') ?? []
    t.match(head, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(JSON.parse(body), { error: { code: 'REQUEST_INVALID', message: String } })
  }
  for (let i = 0; i < 50; i++)
    for (const [text] of sent) {
      const left = connect(target.api, () => {
        left.write(text)
        left.destroy()
      })
      await once(left, 'close')
    }
  await target.serves(t, 'after that')
  await target.over(t)
})
