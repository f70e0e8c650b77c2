/** `locald share --lan`, seen from another machine in the network. */
import t, { type Test } from 'tap'
import type { ShareView } from '../../plugins/share/provides.ts'
import { NetworkPeer } from '../lib/network-peer.ts'
import { PrivateMachine, unable } from '../lib/private-machine.ts'
import { type Running, until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const isNightly = process.env['LOCALD_NIGHTLY'] === '1'

const server = `
  const http = require('node:http')
  http.createServer((req, res) => {
    if (req.url === '/in') res.writeHead(302, { location: 'http://' + req.headers.host + '/home' })
    res.end(JSON.stringify(req.headers))
  }).listen(process.env.PORT, '127.0.0.1')`
const files = {
  'locald.toml':
    '[project]\nname = "shop"\n[services.web]\ncommand = "node server.js"\n[services.db]\ntype = "worker"\ncommand = "sleep 1000"\n',
  'server.js': server,
}
const mdns = JSON.stringify(import.meta.resolve('multicast-dns'))
const host = 'web-shop.local'

/** Asks by multicast DNS, then as a simple resolver from another port; prints the answers as JSON. */
const resolver = `
  const { default: create } = await import(${mdns})
  const ask = (options, questions) => new Promise(resolve => {
    const mdns = create({ interface: '192.168.77.2', bind: '0.0.0.0', ...options })
    const again = setInterval(() => mdns.query(questions), 300)
    mdns.on('ready', () => mdns.query(questions))
    mdns.on('response', ({ answers }, { address }) => {
      if (address !== '192.168.77.1' || !questions.every(({ name, type }) => answers.some(it => it.name === name && it.type === type))) return
      clearInterval(again)
      mdns.destroy(() => resolve(answers))
    })
  })
  const names = ['A', 'AAAA'].map(type => ({ name: '${host}', type }))
  const service = { name: 'web-shop._http._tcp.local', type: 'SRV' }
  const full = await ask({}, [...names, service, { name: '_http._tcp.local', type: 'PTR' }])
  console.log(JSON.stringify(full.map(({ name, type, data }) => ({ name, type, data }))))`

/** Has the name of the service, until it is stopped. */
const owner = `
  const { default: create } = await import(${mdns})
  const mdns = create({ interface: '192.168.77.2', bind: '0.0.0.0' })
  const answer = { name: '${host}', type: 'A', ttl: 120, flush: true, data: '192.168.77.2' }
  mdns.on('query', ({ questions }) => {
    if (questions.some(({ name }) => name === '${host}')) mdns.respond([answer])
  })
  mdns.on('ready', () => console.log('ready'))`

/** A shop that runs on a machine with a peer. */
async function start(t: Test) {
  const machine = await PrivateMachine.start(t)
  const through: PrivateMachine['words'] = (cwd, user) => machine.words(cwd, user)
  const box = new Sandbox(t, { through })
  const folder = box.project('shop', files)
  await box.up(folder)
  const run = (args: readonly string[]) => box.run(['share', ...args], { cwd: folder })
  const list = async (): Promise<readonly ShareView[]> => JSON.parse((await run(['--json'])).stdout).shares
  return {
    machine,
    box,
    folder,
    run,
    list,
    begin: (...args: string[]) => box.start(['share', ...args], { cwd: folder }),
  }
}

/** Waits until a share has printed its URLs; returns the first with an IPv4 address. */
async function urlOf(share: Running): Promise<string> {
  await share.prints(/http:\/\/192\.168\.77\.1:\d+/)
  return /http:\/\/192\.168\.77\.1:\d+/.exec(share.stdout)?.[0] ?? ''
}

t.test('sharing with the local network', { skip: unable, timeout: 120_000 }, async t => {
  const { machine, box, folder, run, list, begin } = await start(t)
  t.match(await run(['web', '--lan']), { code: 1, stderr: /no address in a local network \[SHARE_FAILED\]/ })
  const peer = await NetworkPeer.connect(t, machine)
  const curl = async (url: string, ...words: string[]) =>
    await peer.run(['curl', '-sgi', '-m', '5', ...words, url]).done
  const isRefused = async (url: string) => (await curl(url)).code === 7

  await t.test('needs a way, and one service with a URL', async t => {
    t.match(await run(['web']), { code: 2, stderr: /no way to share web is given[\s\S]*--lan, --tailscale/ })
    t.match(await run(['web', '--lan', '--ngrok']), { code: 2, stderr: /more than one way/ })
    t.match(await run(['--lan']), { code: 2, stderr: /locald share SERVICE --lan/ })
    t.match(await run(['web', '--lan', '--for', 'ever']), { code: 2, stderr: /--for/ })
    t.match(await run(['web', '--lan', '--port', '0']), { code: 2, stderr: /--port must be from 1/ })
    t.match(await run(['--stop', '--lan']), { code: 2, stderr: /--stop and --lan cannot be combined/ })
    t.match(await run(['db', '--lan']), { code: 1, stderr: /has no URL/ })
    t.match(await run(['nothing', '--lan']), { code: 2, stderr: /UNKNOWN_SERVICE/ })
    t.match(await run([]), { code: 0, stdout: /^No service is shared/ })
  })

  await t.test('serves it on the addresses of the machine, until Ctrl-C', async t => {
    const share = begin('web', '--lan')
    const url = await urlOf(share)
    const port = new URL(url).port
    t.match(share.stdout, `http://[fd77::1]:${port}`)
    t.match(share.stdout, `http://${host}:${port}`)
    t.match(await curl(url), {
      stdout: /^HTTP\/1\.1 200 .*"host":"shop\.localhost.*"x-forwarded-for":"192\.168\.77\.2"/s,
    })
    t.match(await curl(`http://[fd77::1]:${port}`), { stdout: /"x-forwarded-for":"fd77::2"/ })
    t.match(await curl(`http://${host}:${port}/in`, '--resolve', `${host}:${port}:192.168.77.1`), {
      stdout: new RegExp(`^location: http://${host}:${port}/home`, 'im'),
    })
    t.match(await curl(url, '-H', 'Host: locald.localhost'), { stdout: /^HTTP\/1\.1 421/ })
    const { http } = await box.server()
    t.ok(await isRefused(`http://192.168.77.1:${http}`), 'the proxy itself is on loopback')

    const asked = await peer.run([process.execPath, '--input-type=module', '--eval', resolver]).done
    t.equal(asked.code, 0, asked.stderr)
    const answers: readonly object[] = JSON.parse(asked.stdout || '[]')
    for (const answer of [
      { name: host, type: 'A', data: '192.168.77.1' },
      { name: host, type: 'AAAA', data: 'fd77::1' },
      { name: '_http._tcp.local', type: 'PTR', data: 'web-shop._http._tcp.local' },
      { name: 'web-shop._http._tcp.local', type: 'SRV', data: { target: host, port: Number(port) } },
    ])
      t.hasStrict({ answers: answers.filter(it => 'type' in it && it.type === answer.type) }, { answers: [answer] })

    t.match(await box.service(folder, 'web'), { shared: [{ via: 'lan', url }] })
    t.match((await box.ok(['status'], { cwd: folder })).stdout, `shared by lan: ${url}`)
    t.match(await run(['web', '--lan']), { code: 1, stderr: /already shared by lan/ })
    share.child.kill('SIGINT')
    t.match(await share.done, { code: 130 })
    await until('the listener to close', () => isRefused(url))
    t.notOk('shared' in (await box.service(folder, 'web')))
  })

  await t.test('has the same port again, and stops when the command is killed', async t => {
    const share = begin('web', '--lan', '--json')
    const url = await urlOf(share)
    const again = begin('web', '--lan', '--port', '1')
    t.match(await again.done, { code: 1 })
    share.child.kill('SIGKILL')
    await until('the listener to close', () => isRefused(url))
    t.strictSame(await list(), [])
    const next = begin('web', '--lan')
    t.equal(await urlOf(next), url)
    next.child.kill('SIGTERM')
    await next.done
  })

  await t.test('takes another name where a machine of the network has it', async t => {
    const other = peer.run([process.execPath, '--input-type=module', '--eval', owner])
    await other.prints('ready')
    t.match(await run(['web', '--lan', '--detach']), { code: 0, stdout: /http:\/\/web-shop-2\.local:\d+/ })
    other.child.kill('SIGKILL')
    await other.done
    t.match(await run(['--stop', 'web']), { code: 0, stdout: /not shared by lan any more/ })
    const elsewhere = await box.run(['share', 'shop:web', '--lan', '--detach', '--for', '20d'], { cwd: box.home })
    t.match(elsewhere, { code: 0, stdout: /until .* on \d{4}-\d\d-\d\d/, stderr: '`locald share --stop shop:web`' })
    t.match(await box.run(['share', '--stop', 'shop:web'], { cwd: box.home }), { code: 0, stdout: /not shared/ })
    t.match(await run(['--stop']), { code: 0, stdout: 'No service is shared.\n' })
  })

  await t.test('detached, follows the addresses of the machine, and stops with the project', async t => {
    const { stdout } = await run(['web', '--lan', '--detach'])
    const url = /http:\/\/192\.168\.77\.1:\d+/.exec(stdout)?.[0] ?? ''
    if (isNightly) {
      machine.sh('ip addr add 10.1.2.3/24 dev lan0')
      await until('the new address', async () => JSON.stringify(await list()).includes('http://10.1.2.3:'))
    }
    t.match(await list(), [{ key: 'shop:web', via: 'lan', until: null, detached: true }])
    await box.ok(['restart', 'web'], { cwd: folder })
    t.match(await curl(url), { stdout: /^HTTP\/1\.1 200/ })
    await box.ok(['stop'], { cwd: folder })
    t.strictSame(await list(), [])
    t.ok(await isRefused(url))
    t.match(await run(['web', '--lan']), { code: 1, stderr: /is not running/ })
    await box.up(folder)
  })

  await t.test('stops after its time', async t => {
    const share = begin('web', '--lan', '--for', '1s')
    const url = await urlOf(share)
    t.match(await share.done, { code: 0, stderr: /its time is over/ })
    t.ok(await isRefused(url))
  })

  await t.test('stops when the daemon is killed', async t => {
    const share = begin('web', '--lan')
    const url = await urlOf(share)
    process.kill((await box.server()).pid, 'SIGKILL')
    t.match(await share.done, { code: 1, stderr: /lost connection to the daemon/ })
    t.ok(await isRefused(url))
    t.strictSame(
      (await box.status(folder)).map(({ shared }) => shared),
      [undefined, undefined],
    )
  })
})
