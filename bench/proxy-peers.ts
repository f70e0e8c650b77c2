import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, name, nginxFile, PATH, type Subject, started, type Upstreams } from './proxies.ts'

type Ports = readonly [http: number, https: number]

// portless needs Node.js 24.
const npm = { 'http-proxy': ['http-proxy@1.18.1'], httpxy: ['httpxy@0.5.0'], portless: ['portless@0.15.6', 'node@24'] }

/** The peers by name, each in front of the upstreams; those from npm serve no `/live`. */
export const peers: Readonly<Record<string, (up: Upstreams, ports: Ports) => Promise<Subject>>> = {
  nginx: async (up, [http, https]) => {
    const tls = `listen 127.0.0.1:${https} ssl http2 backlog=4096; ssl_certificate ${folder}/leaf.pem; ssl_certificate_key ${folder}/leaf.key;`
    const to = (pool: string, connection: string) =>
      `proxy_pass http://${pool}; proxy_http_version 1.1; proxy_set_header Connection "${connection}"; proxy_set_header Host $http_host;`
    const files = `location / { ${to('files', '')} }`
    const live = `location /live/ws { ${to('live', 'upgrade')} proxy_set_header Upgrade $http_upgrade; }
location /live/ { ${to('live', '')} proxy_buffering off; }`
    const limits = 'keepalive_requests 1000000000; http2_max_concurrent_streams 1024;'
    const pool = (label: string, port: number) =>
      `upstream ${label} { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 1000000000; }`
    const server = `server { listen 127.0.0.1:${http} backlog=4096; ${tls} ${limits} ${files} ${live} }`
    const file = nginxFile('nginx', `${pool('files', up.files)} ${pool('live', up.live)} ${server}`)
    return started([['nginx', '-c', file, '-p', folder]], http, https)
  },
  haproxy: async (up, [http, https]) => {
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  http-reuse always
frontend f
  bind 127.0.0.1:${http}
  bind 127.0.0.1:${https} ssl crt ${folder}/both.pem alpn h2,http/1.1
  option forwardfor
  use_backend live if { path_beg /live }
  default_backend files
backend files
  server s 127.0.0.1:${up.files}
backend live
  server s 127.0.0.1:${up.live}
`,
    )
    return started([['haproxy', '-db', '-f', file]], http, https)
  },
  caddy: async (up, [http, https]) => {
    const file = join(folder, 'Caddyfile')
    const to = `reverse_proxy /live/* 127.0.0.1:${up.live}\n  reverse_proxy 127.0.0.1:${up.files}`
    writeFileSync(
      file,
      `{
  admin off
  auto_https off
  http_port ${http}
  https_port ${https}
}
http://${name}:${http} {
  ${to}
}
https://${name}:${https} {
  tls ${folder}/leaf.pem ${folder}/leaf.key
  ${to}
}
`,
    )
    const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, GOMAXPROCS: '1' }
    return started([['caddy', 'run', '--config', file, '--adapter', 'caddyfile']], http, https, env)
  },
  portless: async (up, [http, https]) => {
    const program = [
      join(folder, 'node_modules', 'node', 'bin', 'node'),
      join(folder, 'node_modules/portless/dist/cli.js'),
    ]
    const cert = ['--cert', join(folder, 'leaf.pem'), '--key', join(folder, 'leaf.key')]
    // By default it trusts its own CA and writes /etc/hosts.
    const own = (scheme: string) => {
      const state = join(folder, `portless-${scheme}`)
      mkdirSync(state, { recursive: true })
      return ['env', `HOME=${folder}`, `PORTLESS_STATE_DIR=${state}`, 'PORTLESS_SYNC_HOSTS=0', ...program]
    }
    const start = ['proxy', 'start', '--foreground', '-p']
    const commands = [
      [...own('http'), ...start, String(http), '--no-tls'],
      [...own('https'), ...start, String(https), ...cert],
    ]
    const subject = await started(commands, http, https)
    for (const scheme of ['http', 'https']) {
      const [command = '', ...words] = own(scheme)
      spawnSync(command, [...words, 'alias', name.replace('.localhost', ''), String(up.files), '--force'])
    }
    return subject
  },
  'http-proxy': (up, [http]) =>
    script(
      'http-proxy.cjs',
      http,
      `
const http = require('node:http')
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
const proxy = require('http-proxy').createProxyServer({ target: 'http://127.0.0.1:${up.files}', agent, ws: true })
proxy.on('error', () => {})
proxy.listen(${http}, '127.0.0.1')`,
    ),
  httpxy: (up, [http]) =>
    script(
      'httpxy.mjs',
      http,
      `
import { createServer } from 'node:http'
import { createProxyServer } from 'httpxy'
const proxy = createProxyServer({})
createServer((req, res) => proxy.web(req, res, { target: 'http://127.0.0.1:${up.files}' }).catch(() => res.destroy())).listen(${http}, '127.0.0.1')`,
    ),
}

/** Returns why a proxy cannot be measured here; undefined if it can. */
export function missing(proxy: string): string | undefined {
  const packages = Object.entries(npm).find(([it]) => it === proxy)?.[1]
  if (packages === undefined) {
    const found = spawnSync('sh', ['-c', `command -v ${proxy}`], { env: { ...process.env, PATH } }).status === 0
    return found ? undefined : `${proxy}: not installed (apt-get install ${proxy})`
  }
  return npmInstall(packages) ? undefined : `${proxy}: npm install failed`
}

/** Downloads packages into the proxies' folder, unless they exist. */
export function npmInstall(packages: readonly string[]): boolean {
  if (packages.every(it => existsSync(join(folder, 'node_modules', it.split('@')[0] ?? '')))) return true
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  // An install script assembles Node's package.
  const words = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages]
  return spawnSync('npm', words, { cwd: folder }).status === 0
}

function script(label: string, http: number, code: string): Promise<Subject> {
  const file = join(folder, label)
  writeFileSync(file, code)
  return started([[process.execPath, file]], http, null)
}
