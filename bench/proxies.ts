import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { made } from './folders.ts'
import { Locald } from './locald.ts'
import { allAccept } from './ports.ts'
import { used } from './processes.ts'

/** The name under which every proxy serves the upstream. */
export const name = 'bench.localhost'

/** A proxy that runs: its ports, CPU time so far in ms, memory in bytes. */
export interface Subject {
  readonly http: number
  /** Null where it was not set up with TLS. */
  readonly https: number | null
  cpuMs(): number
  rss(): number
  close(): Promise<void>
}

const folder = join(made, 'proxy')
const npm = ['http-proxy@1.18.1', 'httpxy@0.5.0']

/** locald, and the upstream of all: nginx with one worker as its service, which has a file of each size. */
export async function locald(up: number): Promise<Subject> {
  mkdirSync(join(folder, 'www'), { recursive: true })
  for (const size of sizes) writeFileSync(join(folder, 'www', String(size)), 'x'.repeat(size))
  const server = `server { listen 127.0.0.1:${up} backlog=4096; root ${folder}/www; keepalive_requests 1000000000; }`
  const command = `exec nginx -c ${nginxFile('upstream', server)} -p ${folder}`
  const path = `${process.env['PATH']}:/usr/sbin`
  const made = new Locald(
    `[project]\nname = "bench"\n[services.web]\nport = ${up}\ncommand = "${command}"\nenv = { PATH = "${path}" }\n`,
  )
  made.run('up')
  const { http, https }: { http: number; https: number } = JSON.parse(made.run('server', 'status', '--json'))
  return { http, https, cpuMs: () => made.daemon().cpuMs, rss: () => made.daemon().rss, close: () => made.close() }
}

/** Sizes of the bodies the upstream has, bytes. */
export const sizes = [1024, 100 * 1024] as const

/** The peers by their names; each in front of the upstream's port. */
export const peers: Readonly<Record<string, (up: number, ports: readonly [number, number]) => Promise<Subject>>> = {
  nginx: async (up, [http, https]) => {
    const tls = `listen 127.0.0.1:${https} ssl http2 backlog=4096; ssl_certificate ${folder}/leaf.pem; ssl_certificate_key ${folder}/leaf.key;`
    const pass = `location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }`
    const limits = 'keepalive_requests 1000000000; http2_max_concurrent_streams 1024;'
    const pool = `upstream up { server 127.0.0.1:${up}; keepalive 256; keepalive_requests 1000000000; }`
    const server = `server { listen 127.0.0.1:${http} backlog=4096; ${tls} ${limits} ${pass} }`
    return started(['nginx', '-c', nginxFile('nginx', `${pool} ${server}`), '-p', folder], http, https)
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
  default_backend b
backend b
  server s 127.0.0.1:${up}
`,
    )
    return started(['haproxy', '-db', '-f', file], http, https)
  },
  caddy: async (up, [http, https]) => {
    const file = join(folder, 'Caddyfile')
    const to = `reverse_proxy 127.0.0.1:${up}`
    const tls = `tls ${folder}/leaf.pem ${folder}/leaf.key`
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
  ${tls}
  ${to}
}
`,
    )
    const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, GOMAXPROCS: '1' }
    return started(['caddy', 'run', '--config', file, '--adapter', 'caddyfile'], http, https, env)
  },
  'http-proxy': (up, [http]) => node('http-proxy', http, scripts['http-proxy'](up, http)),
  httpxy: (up, [http]) => node('httpxy', http, scripts.httpxy(up, http)),
}

const scripts = {
  'http-proxy': (up: number, port: number) => `
const http = require('node:http')
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
const proxy = require('http-proxy').createProxyServer({ target: 'http://127.0.0.1:${up}', agent, ws: true })
proxy.on('error', () => {})
proxy.listen(${port}, '127.0.0.1')`,
  httpxy: (up: number, port: number) => `
import { createServer } from 'node:http'
import { createProxyServer } from 'httpxy'
const proxy = createProxyServer({})
createServer((req, res) => proxy.web(req, res, { target: 'http://127.0.0.1:${up}' }).catch(() => res.destroy())).listen(${port}, '127.0.0.1')`,
}

/** A certificate for the peers, as small as locald's own. */
export function makeCertificate(): void {
  mkdirSync(folder, { recursive: true })
  const [key, cert] = [join(folder, 'leaf.key'), join(folder, 'leaf.pem')]
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']
  const made = spawnSync('openssl', [...args, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`])
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`)
  spawnSync('sh', ['-c', `cat ${cert} ${key} > ${join(folder, 'both.pem')}`])
}

/** Why a proxy cannot be measured here; undefined when it can. */
export function missing(proxy: string): string | undefined {
  if (!(proxy in scripts)) {
    const found = spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${proxy}`]).status === 0
    return found ? undefined : `${proxy}: not installed (apt-get install ${proxy})`
  }
  const modules = join(folder, 'node_modules', proxy)
  if (existsSync(modules)) return undefined
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const ran = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...npm], { cwd: folder })
  return ran.status === 0 ? undefined : `${proxy}: npm install failed`
}

function nginxFile(label: string, server: string): string {
  const file = join(folder, `${label}.conf`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `${kind}_temp_path ${folder}/${label}-${kind};`)
    .join(' ')
  const common = `access_log off; sendfile on; tcp_nodelay on; keepalive_timeout 65; client_max_body_size 0; ${temporary}`
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/${label}.pid; error_log ${folder}/${label}.log crit;
events { worker_connections 8192; }
http { ${common} ${server} }
`,
  )
  return file
}

function node(label: 'http-proxy' | 'httpxy', http: number, code: string): Promise<Subject> {
  const file = join(folder, label === 'httpxy' ? 'httpxy.mjs' : 'http-proxy.cjs')
  writeFileSync(file, code)
  return started([process.execPath, file], http, null)
}

async function started(
  [command = '', ...words]: readonly string[],
  http: number,
  https: number | null,
  env: NodeJS.ProcessEnv = {},
): Promise<Subject> {
  const PATH = `${process.env['PATH']}:/usr/sbin`
  const child = spawn(command, words, { stdio: 'ignore', env: { ...process.env, PATH, ...env } })
  await allAccept(https === null ? [http] : [http, https], 20_000)
  const pid = child.pid ?? 0
  return { http, https, cpuMs: () => used(pid).cpuMs, rss: () => used(pid).rss, close: () => ended(child) }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
