import type { ServerResponse } from 'node:http'
import { done, FakeDaemon, state, stream, type Test, view } from '../fake-daemon.ts'

/** Returns a line of the log of `web`, as NDJSON. */
export const line = (text: string) =>
  `${JSON.stringify({ time: '2026-01-01T00:00:00.000001Z', service: 'shop:web', stream: 'stdout', text })}\n`

/** A daemon with a project that starts, logs until it is stopped, and stops. */
export async function project(t: Test) {
  const daemon = await FakeDaemon.start(t)
  const logs: ServerResponse[] = []
  const events: ServerResponse[] = []
  const stopped = state('web', { status: 'stopped', health: null })
  const hello = line('\x1b[32mhello\x1b[39m')
  /** Last words, which are in the log before who follows it has them. */
  const late: string[] = []
  daemon
    .on('POST /v1/projects/up', stream(state('web', { status: 'starting' }), state('web'), done(view('web'))))
    .on('GET /v1/logs', (response, { query }) => {
      const first = query.has('resume') ? '' : hello
      if (query.get('follow') === null) return void response.end(`${first}${late.join('')}`)
      logs.push(response)
      response.write(first)
    })
    .on('GET /v1/events', response => {
      events.push(response)
      response.writeHead(200).flushHeaders()
    })
    .on('POST /v1/projects/stop', (response, asked) => {
      stream(state('web', { status: 'stopping' }), stopped, done())(response, asked)
      late.push(line('bye'))
    })
  return { daemon, logs, events, stopped, late }
}
