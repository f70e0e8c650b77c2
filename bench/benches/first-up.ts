import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { get as getByTls } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli, made } from '../folders.ts'
import { interleave, median, until } from '../measure.ts'
import { freePorts } from '../ports.ts'
import { childrenMs, processesWith } from '../processes.ts'
import type { Found, Row } from '../report.ts'

const project = join(made, 'first-up', 'first-up')
const host = 'first-up.localhost'
const packages = { vite: '8.3.8', '@vitejs/plugin-react': '6.0.3', react: '19.2.7', 'react-dom': '19.2.7' }
const files = {
  'package.json': JSON.stringify({ private: true, type: 'module', scripts: { dev: 'vite' }, dependencies: packages }),
  'vite.config.js':
    "import react from '@vitejs/plugin-react'\nimport { defineConfig } from 'vite'\nexport default defineConfig({ plugins: [react()] })\n",
  'index.html': '<!doctype html><div id="root"></div><script type="module" src="/src/main.jsx"></script>\n',
  'src/main.jsx':
    "import { createRoot } from 'react-dom/client'\ncreateRoot(document.getElementById('root')).render(<h1>first</h1>)\n",
}

/** The times from the start of a command, and the CPU time of all processes until the last of them: ms. */
interface First {
  /** Until the command itself says that all is ready, where it does. */
  readonly ready: number
  /** Until the first response with status 200. */
  readonly answered: number
  readonly cpu: number
}

/**
 * Measures `npm run dev` against the first `locald up` ever, in a project made of Vite: without a daemon, a data folder
 * and Vite's cache.
 */
export async function firstUp({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const about = "a new Vite project from nothing: no daemon, no certificate authority, empty Vite's cache"
  if (!install()) return { bench: 'first-up', about, rows: [], skipped: ['vite: npm install failed'] }
  const ports = await freePorts(2, 31_900)
  const results = await interleave(smoke ? 1 : 15, {
    'npm run dev': () => inFreshHome(home => runScript(home, ports)),
    'locald up --detach': () => inFreshHome(home => runUp(home, ports)),
  })
  return { bench: 'first-up', about, rows: rowsOf(results), skipped: [] }
}

function install(): boolean {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(project, file, '..'), { recursive: true })
    writeFileSync(join(project, file), text)
  }
  if (existsSync(join(project, 'node_modules', 'vite'))) return true
  return spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: project }).status === 0
}

async function inFreshHome(measure: (home: string) => Promise<First>): Promise<First> {
  const home = mkdtempSync(join(tmpdir(), 'locald-first-up-'))
  rmSync(join(project, 'node_modules', '.vite'), { recursive: true, force: true })
  try {
    return await measure(home)
  } finally {
    await until('the exit of all', () => processesWith(home).length === 0)
    rmSync(home, { recursive: true, force: true })
  }
}

type Ports = readonly number[]

async function runScript(home: string, [port = 0]: Ports): Promise<First> {
  const times = watch(home)
  const child = start(['npm', 'run', 'dev', '--', '--port', String(port), '--strictPort'], environment(home))
  const exited = once(child, 'exit')
  try {
    await until('an answer', () => isAnswered(port), { stepMs: 5 })
    const answered = times.now()
    return { ready: answered, answered, cpu: times.cpu() }
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
    await exited
  }
}

async function runUp(home: string, [, https = 0]: Ports): Promise<First> {
  const xdg = { XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, XDG_RUNTIME_DIR: home }
  const ports = { LOCALD_HTTP_PORT: '0', LOCALD_HTTPS_PORT: String(https) }
  const env = { ...environment(home), ...xdg, ...ports, LOCALD_SANDBOX: 'first-up' }
  const times = watch(home)
  const child = start([process.execPath, cli, 'up', '--detach'], env)
  try {
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`locald up: ${code}`)
    const ready = times.now()
    await until('an answer', () => isAnsweredByTls(https), { stepMs: 5 })
    return { ready, answered: times.now(), cpu: times.cpu() }
  } finally {
    spawnSync(process.execPath, [cli, 'server', 'shutdown'], { cwd: project, env, stdio: 'ignore' })
  }
}

function environment(home: string): NodeJS.ProcessEnv {
  // npm keeps its own cache: a new one would make it look for a newer version of itself.
  return { PATH: process.env['PATH'], HOME: home, npm_config_update_notifier: 'false' }
}

function start([file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(file, args, { cwd: project, env, stdio: 'ignore', detached: true })
}

/** Begins to measure; `cpu()` is that of all processes of a home and of those that have exited. */
function watch(home: string): { now(): number; cpu(): number } {
  const [began, waited] = [performance.now(), childrenMs()]
  return {
    now: () => performance.now() - began,
    cpu: () => processesWith(home).reduce((sum, { cpuMs }) => sum + cpuMs, childrenMs() - waited),
  }
}

/** Vite listens on whatever `localhost` is. */
function isAnswered(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const asking = get({ host: 'localhost', port, path: '/', agent: false }, answer => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asking.once('error', () => resolve(false))
  })
}

function isAnsweredByTls(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const where = { host: '127.0.0.1', port, path: '/', servername: host, headers: { host: `${host}:${port}` } }
    const asking = getByTls({ ...where, agent: false, rejectUnauthorized: false }, answer => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asking.once('error', () => resolve(false))
  })
}

function rowsOf(results: ReadonlyMap<string, readonly First[]>): readonly Row[] {
  const of = (name: string, key: keyof First) => median((results.get(name) ?? []).map(each => each[key]))
  const npm = 'npm run dev'
  const row = (what: string, name: string, key: keyof First): Row => {
    const value = of(name, key)
    const ratio = value / of(npm, key)
    const judged = key === 'ready' ? { target: '<= 1.15x', met: ratio <= 1.15 } : {}
    return { what, value, unit: 'ms', ...(name === npm ? {} : { ratio, of: `of ${npm}`, ...judged }) }
  }
  const up = 'locald up --detach'
  return [
    row(`${npm}: answered`, npm, 'answered'),
    row(`${up}: ready`, up, 'ready'),
    row(`${up}: answered at its https name`, up, 'answered'),
    row(`${npm}: CPU of all processes`, npm, 'cpu'),
    row(`${up}: CPU of all processes`, up, 'cpu'),
  ]
}
