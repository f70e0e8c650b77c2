import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isAnswered } from '../../../kernel/lib/loopback.ts'
import { unable } from '../../lib/private-machine.ts'

/** Probes both for a port without a listener, with every connection made from that very port; prints what they say. */
const asking = `
  const [loopback, probe] = await Promise.all(process.argv.slice(1).map(module => import(module)))
  const said = []
  for (let round = 0; round < 20; round++)
    said.push(await loopback.isAnswered('127.0.0.1', 40001), (await probe.tcpProbe(40001, 2000)).ok)
  console.log(JSON.stringify(said.filter(Boolean)))
`

t.test('a self-connection is no answer', { skip: unable }, t => {
  const module = (file: string) => fileURLToPath(new URL(`../../../kernel/${file}`, import.meta.url))
  // connect(2) prefers odd ports: the range has one.
  const setUp = 'ip link set lo up; echo 40001 40001 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"'
  const node = [process.execPath, '--input-type=module', '-e', asking]
  const modules = [module('lib/loopback.js'), module('services/health/probes.js')]
  const ran = spawnSync('unshare', ['--net', 'sh', '-ec', setUp, 'sh', ...node, ...modules], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  t.match(ran, { status: 0, stdout: '[]\n' })
  t.end()
})

/** Prints whether a port is answered that no packet reaches. */
const silence = `
  const { isAnswered } = await import(process.argv[1])
  console.log(await isAnswered('127.0.0.1', 40001))
`

t.test('an address whose packets a firewall drops has no listeners', { skip: unable }, t => {
  const module = fileURLToPath(new URL('../../../kernel/lib/loopback.js', import.meta.url))
  // A queue in which no packet has room, as iptables need not be there.
  const setUp = 'ip link set lo up; tc qdisc add dev lo root tbf rate 1kbit burst 1b limit 1; exec "$@"'
  const node = [process.execPath, '--input-type=module', '-e', silence, module]
  const ran = spawnSync('unshare', ['--net', 'sh', '-ec', setUp, 'sh', ...node], { encoding: 'utf8', timeout: 60_000 })
  t.match(ran, { status: 0, stdout: 'false\n' })
  t.end()
})

t.test('a listener with a full backlog counts as answering', async t => {
  const hung = `
    const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('fs').writeSync(1, String(server.address().port))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const child = spawn(process.execPath, ['-e', hung], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [output] = await once(child.stdout, 'data')
  const port = Number(String(output))
  const waiting = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => waiting.forEach(socket => void socket.destroy()))
  await Promise.race(waiting.map(socket => once(socket, 'connect')))
  t.equal(await isAnswered('127.0.0.1', port), true)
})
