/**
 * The server of a service of type `site`, a process of its own: `node main.js FOLDER`, with its settings in the
 * environment. Its output is that of the build, and errors.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { fieldOf, parseJson } from '../../lib/json.ts'
import { controlPath } from '../control.ts'
import { Builds } from './builds.ts'
import { LiveReload } from './live-reload.ts'
import { parseSettings, settingsVariable } from './settings.ts'
import { SiteServer } from './site-server.ts'

const { [settingsVariable]: text = '', ...environment } = process.env
const settings = parseSettings(text)
const { output, domain, port, spa, token, nodeOptions } = settings

const print = (line: string) => void process.stdout.write(`${line}\n`)
const builds =
  settings.build === null
    ? undefined
    : new Builds({
        command: settings.build,
        env: { ...environment, ...(nodeOptions === null ? {} : { NODE_OPTIONS: nodeOptions }) },
        print,
        built: () => reload?.flush(),
      })
const reload = settings.reload ? new LiveReload(() => builds?.isIncomplete === true) : undefined
const site = new SiteServer({ output, domain, spa, reload })

const server = createServer((request, response) => {
  const isControl = request.method === 'POST' && request.url === controlPath
  void (isControl ? control(request, response) : site.respond(request, response))
})
server.on('error', error => {
  process.stderr.write(`port ${port} of 127.0.0.1: ${error.message}\n`)
  process.exit(1)
})
server.listen(port, '127.0.0.1')
builds?.start([])

/** Takes a change from the daemon, and answers once no build runs. */
async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isDaemon(request.headers.authorization)) return void response.writeHead(401, { 'Content-Length': 0 }).end()
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const change = parseJson(Buffer.concat(parts).toString())
    const [changed, sources] = [textsOf(change, 'output'), textsOf(change, 'sources')]
    const isUnknown = fieldOf(change, 'isUnknown') === true
    if (sources.length > 0 || isUnknown) builds?.start(sources)
    reload?.note([...changed, ...(isUnknown || builds === undefined ? sources : []), ...(isUnknown ? [''] : [])])
    void settle(response)
  })
}

async function settle(response: ServerResponse): Promise<void> {
  const body = JSON.stringify({ problem: (await builds?.settled()) ?? null })
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body)
}

function isDaemon(authorization = ''): boolean {
  const [given, expected] = [Buffer.from(authorization), Buffer.from(`Bearer ${token}`)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function textsOf(value: unknown, name: string): readonly string[] {
  const list = fieldOf(value, name)
  return Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : []
}
