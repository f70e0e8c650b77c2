/**
 * The daemon's side of host access as a program, so that tests can run it as an ordinary user and kill it:
 * `node daemon-side.js FOLDERS_JSON ENGINE_ARGV…`. It prints `port N`; each POST there is a call, a JSON array of the
 * method's name and its arguments without the engine, answered with `{ "value" }` or `{ "error" }`.
 */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { SocketHostAccess } from '../../../../plugins/container/host-access/host-access.ts'
import { engineOf } from '../fake-engine.ts'

/** A request as it comes over HTTP. */
interface Call {
  readonly method: 'ensure' | 'withdraw' | 'release' | 'close'
  readonly project: string
  readonly service?: string
  readonly network?: string
  readonly ports?: readonly number[]
}

const [folders = '{}', program = 'podman'] = process.argv.slice(2)
const env = Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))

const engine = engineOf(args => {
  console.log(`call ${args.join(' ')}`)
  return { argv: [program, ...args], env }
})
const log = (text: string): void => console.log(`log ${text}`)
const access = new SocketHostAccess(JSON.parse(folders), { info: log, warn: log, error: log })

async function answer({ method, project: name, service = 'web', network = '', ports = [] }: Call): Promise<unknown> {
  const project = { name, path: `/projects/${name}`, domain: 'localhost' }
  const forwarder = { engine, project, name: `locald-${name}-tunnel-abc123` }
  const labels = { 'dev.locald.owner': 'abc123', 'dev.locald.kind': 'tunnel' }
  if (method === 'ensure') return await access.ensure({ ...forwarder, labels, network, service, ports })
  if (method === 'withdraw') return access.withdraw(project, service)
  return method === 'release' ? await access.release(forwarder) : await access.close()
}

const server = createServer(async (request, response) => {
  try {
    const call: Call = JSON.parse(await text(request))
    response.end(JSON.stringify({ value: (await answer(call)) ?? null }))
  } catch (error) {
    response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
  }
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`port ${typeof address === 'object' ? address?.port : ''}`)
})
