import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { made } from './folders.ts'
import { Locald } from './locald.ts'
import { allAccept } from './ports.ts'
import { used } from './processes.ts'

/** The name under which every proxy serves the upstreams. */
export const name = 'bench.localhost'

/** Ports of the upstreams: `live` has the paths under `/live`, `files` all others. */
export interface Upstreams {
  readonly files: number
  readonly live: number
}

/** A running proxy: its ports, CPU time so far in ms, memory in bytes. */
export interface Subject {
  readonly http: number
  /** Null where it was not set up with TLS. */
  readonly https: number | null
  cpuMs(): number
  rss(): number
  close(): Promise<void>
}

/** The folder of the proxies' files. */
export const folder = join(made, 'proxy')
/** Sizes of the bodies the upstream has, bytes. */
export const sizes = [1024, 100 * 1024] as const
/** Where nginx, haproxy and taskset may be. */
export const PATH = `${process.env['PATH']}:/usr/sbin`

const isPinned =
  availableParallelism() > 1 &&
  spawnSync('taskset', ['-c', '1', 'true'], { env: { ...process.env, PATH } }).status === 0

/** Gives the proxy core 1 and everything else core 0, so that requests per second measure the proxy. */
export function pin(pids: readonly number[], core: 0 | 1): void {
  for (const pid of isPinned ? pids : []) spawnSync('taskset', ['-apc', String(core), String(pid)])
}

/**
 * Starts locald, with everyone's upstreams as its services: nginx with one worker and a file of each size, and
 * upstream.js.
 */
export async function locald(up: Upstreams): Promise<Subject> {
  mkdirSync(join(folder, 'www'), { recursive: true })
  for (const size of sizes) writeFileSync(join(folder, 'www', String(size)), 'x'.repeat(size))
  const server = `server { listen 127.0.0.1:${up.files} backlog=4096; root ${folder}/www; keepalive_requests 1000000000; }`
  const nginx = `exec nginx -c ${nginxFile('upstream', server)} -p ${folder}`
  const live = `exec ${process.execPath} ${join(import.meta.dirname, 'upstream.js')} ${up.live}`
  return withServices(`[services.web]
port = ${up.files}
command = "${nginx}"
env = { PATH = "${PATH}" }
[services.live]
port = ${up.live}
command = "${live}"
[routes]
"/live" = "live"
`)
}

/** Starts locald with nginx as its only service, and this `config.toml`. */
export function files(port: number, config: string): Subject {
  mkdirSync(join(folder, 'www'), { recursive: true })
  for (const size of sizes) writeFileSync(join(folder, 'www', String(size)), 'x'.repeat(size))
  const server = `server { listen 127.0.0.1:${port} backlog=4096; root ${folder}/www; keepalive_requests 1000000000; }`
  const command = `exec nginx -c ${nginxFile(`files-${port}`, server)} -p ${folder}`
  return withServices(`[services.web]\nport = ${port}\ncommand = "${command}"\nenv = { PATH = "${PATH}" }\n`, config)
}

/** Starts locald with these services, of which `web` is the main one. */
export function withServices(toml: string, config?: string): Subject {
  const run = new Locald(`[project]\nname = "bench"\n${toml}`, config)
  run.run('up')
  const { http, https }: { http: number; https: number } = JSON.parse(run.run('server', 'status', '--json'))
  for (const { pid } of run.processes()) pin([pid], pid === run.daemon().pid ? 1 : 0)
  return { http, https, cpuMs: () => run.daemon().cpuMs, rss: () => run.daemon().rss, close: () => run.close() }
}

/** Creates a certificate for the peers, as small as locald's own. */
export function makeCertificate(): void {
  mkdirSync(folder, { recursive: true })
  const [key, cert] = [join(folder, 'leaf.key'), join(folder, 'leaf.pem')]
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']
  const ran = spawnSync('openssl', [...args, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`])
  if (ran.status !== 0) throw new Error(`openssl: ${ran.stderr}`)
  spawnSync('sh', ['-c', `cat ${cert} ${key} > ${join(folder, 'both.pem')}`])
}

/** Writes nginx's configuration and returns its path. */
export function nginxFile(label: string, server: string): string {
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

/** Starts a proxy, as one process for both ports or one for each, and waits until it listens. */
export async function started(
  commands: readonly (readonly string[])[],
  http: number,
  https: number | null,
  env: NodeJS.ProcessEnv = {},
): Promise<Subject> {
  const options = { stdio: 'ignore', env: { ...process.env, PATH, ...env } } as const
  const children = commands.map(([command = '', ...words]) => spawn(command, words, options))
  await allAccept(https === null ? [http] : [http, https], 20_000)
  const pids = children.map(({ pid = 0 }) => pid)
  pin(pids, 1)
  const sum = (of: 'cpuMs' | 'rss') => pids.reduce((total, pid) => total + used(pid)[of], 0)
  const close = async () => void (await Promise.all(children.map(exited)))
  return { http, https, cpuMs: () => sum('cpuMs'), rss: () => sum('rss'), close }
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
