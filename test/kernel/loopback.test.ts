import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { unable } from '../e2e/private-machine.ts'

/** Asks both about a port on which nobody listens, with every connection made from that very port; prints what they say. */
const asking = `
  const [loopback, probe] = await Promise.all(process.argv.slice(1).map(module => import(module)))
  const said = []
  for (let round = 0; round < 20; round++)
    said.push(await loopback.isAnswered('127.0.0.1', 40001), (await probe.tcpProbe(40001, 2000)).ok)
  console.log(JSON.stringify(said.filter(Boolean)))
`

t.test('a connection that met itself is no answer', { skip: unable }, t => {
  const module = (file: string) => fileURLToPath(new URL(`../../kernel/${file}`, import.meta.url))
  // connect(2) prefers odd ports: the range has one.
  const setUp = 'ip link set lo up; echo 40001 40001 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"'
  const node = [process.execPath, '--input-type=module', '-e', asking]
  const modules = [module('contract/loopback.js'), module('probe.js')]
  const ran = spawnSync('unshare', ['--net', 'sh', '-ec', setUp, 'sh', ...node, ...modules], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  t.match(ran, { status: 0, stdout: '[]\n' })
  t.end()
})
