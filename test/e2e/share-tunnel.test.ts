/**
 * `locald share` by the programs of others, with stand-ins that print what these do, but reach no network:
 * - tailscale serve: cmd/tailscale/cli/serve_v2.go, "Available within your tailnet:", then the URL and what it leads to;
 *   where the tailnet has not enabled it, a page to open, and it waits
 * - cloudflared tunnel --url: cmd/cloudflared/tunnel/quick_tunnel.go, on stderr, in a box
 * - ngrok http --log stdout --log-format json: a line with "msg":"started tunnel" (pyngrok parses the same); errors as
 *   lines that begin with ERROR:
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ShareView } from '../../plugins/share/provides.ts'
import { processList } from '../lib/process-list.ts'
import { ask } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const files = {
  'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "node server.js"\n',
  'server.js': `require('node:http').createServer((req, res) => res.end(JSON.stringify(req.headers))).listen(process.env.PORT, '127.0.0.1')`,
}

/** What each prints, in shell; `$0.args` gets its pid and its words first. */
const outputs = {
  tailscale: `
printf 'Available within your tailnet:\\n\\nhttps://laptop.tail1234.ts.net:%s/\\n|-- proxy %s\\n\\nPress Ctrl+C to exit.\\n' "\${3#--https=}" "$4"`,
  cloudflared: `
printf '%s\\n' >&2 '2026-01-02T03:04:05Z INF Requesting new quick Tunnel on https://api.trycloudflare.com...' \\
  '2026-01-02T03:04:06Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |' \\
  '2026-01-02T03:04:06Z INF |  https://some-random-words.trycloudflare.com                                               |'`,
  ngrok: `
printf '%s\\n' '{"lvl":"info","msg":"no configuration paths supplied","t":"2026-01-02T03:04:05Z"}' \\
  '{"addr":"http://localhost:80","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","url":"https://ab12.ngrok-free.app"}'`,
}
type Name = keyof typeof outputs

const hosts: Readonly<Record<Name, RegExp>> = {
  tailscale: /^laptop\.tail1234\.ts\.net:\d+$/,
  cloudflared: /^some-random-words\.trycloudflare\.com$/,
  ngrok: /^ab12\.ngrok-free\.app$/,
}

async function start(t: Test) {
  const box = new Sandbox(t)
  const bin = join(box.home, 'bin')
  box.project('bin', {})
  const env = { PATH: `${bin}:${box.env['PATH']}` }
  const folder = box.project('shop', files)
  const install = (name: Name, script = `${outputs[name]}\nexec sleep 1000`): void =>
    box.write(join(bin, name), `#!/bin/sh\necho "$$ $*" > "$0.args"\n${script}\n`, 0o755)
  /** The pid of a stand-in that runs, and the port that it leads to. */
  const readArgs = (name: Name) => {
    const [pid = '', ...words] = readFileSync(join(bin, `${name}.args`), 'utf8')
      .trim()
      .split(' ')
    const url = words.find(word => word.startsWith('http://127.0.0.1:')) ?? ''
    return { pid: Number(pid), words, port: Number(new URL(url).port) }
  }
  await box.up(folder, [], { env })
  const run = (...args: string[]) => box.run(['share', ...args], { cwd: folder, env })
  const begin = (...args: string[]) => box.start(['share', ...args], { cwd: folder, env })
  const list = async (): Promise<readonly ShareView[]> => JSON.parse((await run('--json')).stdout).shares
  return { box, bin, folder, install, readArgs, run, begin, list }
}

const get = (port: number, headers: Record<string, string>) => ask({ host: '127.0.0.1', port }, '/', { headers })

t.test('sharing by a tunnel', { timeout: 120_000 }, async t => {
  const { box, bin, folder, install, readArgs, run, begin, list } = await start(t)

  for (const name of ['tailscale', 'cloudflared', 'ngrok'] as const) {
    await t.test(name, async t => {
      t.match(await run('web', `--${name}`), {
        code: 1,
        stderr: new RegExp(`${name} is not installed \\[FEATURE_OFF\\]`),
      })
      install(name)
      const share = begin('web', `--${name}`)
      await share.prints('https://')
      const host = /https:\/\/(\S+)/.exec(share.stdout)?.[1] ?? ''
      t.match(host, hosts[name])
      const { pid, words, port } = readArgs(name)
      if (name === 'tailscale') t.notOk(words.includes('--bg'), 'tailscaled would go on after a crash')
      const seen = await get(port, { host, 'x-forwarded-for': '203.0.113.7', origin: `https://${host}` })
      const own = JSON.parse(seen.body)
      t.match(own, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', 'x-original-host': host })
      t.equal(own.origin, `https://${own.host}`)
      t.match(own.host, /^shop\.localhost/)
      for (const other of ['locald.localhost', `127.0.0.1:${port}`, 'shop.localhost'])
        t.equal((await get(port, { host: other })).status, 421, other)
      t.match(await box.service(folder, 'web'), { shared: [{ via: name, url: `https://${host}` }] })
      share.child.kill('SIGINT')
      t.match(await share.done, { code: 130 })
      await until('the exit of the program', () => !processList.isAlive(pid))
      t.strictSame(await list(), [])
    })
  }

  await t.test('fails with what the program says', async t => {
    install('ngrok', 'echo "ERROR:  authentication failed: Usage of ngrok requires a verified account" >&2; exit 1')
    t.match(await run('web', '--ngrok'), { code: 1, stderr: /authentication failed.*\[SHARE_FAILED\]/ })
    install('cloudflared', 'echo "ERR failed to request quick Tunnel: 429 Too Many Requests" >&2; exit 3')
    t.match(await run('web', '--cloudflared'), { code: 1, stderr: /exited with code 3: .*429 Too Many Requests/ })
    const page = 'https://login.tailscale.com/f/serve?node=n1'
    install(
      'tailscale',
      `printf 'Serve is not enabled on your tailnet.\\nTo enable, visit:\\n\\n         ${page}\\n'; exec sleep 1000`,
    )
    const waits = await run('web', '--tailscale')
    t.equal(waits.code, 1)
    t.ok(waits.stderr.includes(page), waits.stderr)
    const { pid } = readArgs('tailscale')
    await until('the exit of the program', () => !processList.isAlive(pid))
    t.strictSame(await list(), [])
  })

  await t.test('stops with its program', async t => {
    install('cloudflared', `${outputs.cloudflared}\nwhile [ ! -e "$0.stop" ]; do sleep 0.05; done; exit 4`)
    const share = begin('web', '--cloudflared')
    await share.prints('trycloudflare.com')
    box.write(join(bin, 'cloudflared.stop'), '')
    t.match(await share.done, { code: 0, stderr: /Not shared any more: cloudflared exited with code 4/ })
  })

  await t.test('leaves no tunnel behind a killed daemon', async t => {
    install('ngrok')
    t.match(await run('web', '--ngrok', '--detach'), { code: 0 })
    const { pid } = readArgs('ngrok')
    t.ok(processList.isAlive(pid) && existsSync(join(bin, 'ngrok.args')))
    process.kill((await box.server()).pid, 'SIGKILL')
    await until('the exit of the program', () => !processList.isAlive(pid))
    t.strictSame(await list(), [])
  })
})
