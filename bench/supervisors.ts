import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fetched, npmPeer, supervisorPeer } from './peers.ts'

/** The argv of a command. */
export type Words = readonly string[]

/** A supervisor that runs listeners on given ports. */
export interface Supervisor {
  readonly name: string
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** Starts all services, and the daemon. */
  readonly up: Words
  /** Commands of a supervisor with a daemon; absent if `up` stays in the foreground and exits on SIGTERM. */
  readonly daemon?: {
    /** Stops the services, but not the daemon. */
    readonly stop: Words
    /** Starts the services, with the daemon running. */
    readonly again: Words
    /** Stops the daemon and its services. */
    readonly end: Words
  }
  remove(): void
}

/** A supervisor, or why it is missing. */
type Made = Supervisor | { readonly missing: string }

/** Returns all peers that could be downloaded, each with a separate home, and why the others could not. */
export function supervisors(listener: string, portsOf: () => readonly number[]) {
  const all = [pm2, supervisord, concurrently, foreman, mprocs].map(make => make(listener, portsOf()))
  const isHere = (one: Made): one is Supervisor => 'name' in one
  return {
    here: all.filter(isHere),
    missing: all.flatMap(one => ('missing' in one ? [one.missing] : [])),
  }
}

function made(
  name: string,
  fetched: Fetched,
  files: Readonly<Record<string, string>>,
  rest: (home: string, words: Words) => Pick<Supervisor, 'up' | 'daemon'>,
): Made {
  if ('missing' in fetched) return fetched
  const home = mkdtempSync(join(tmpdir(), `bench-${name}-`))
  mkdirSync(join(home, 'logs'))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text.replaceAll('HOME', home))
  const { PATH } = process.env
  const env = { PATH, HOME: home, PM2_HOME: join(home, 'pm2'), TERM: 'xterm', ...fetched.env }
  return { name, home, env, ...rest(home, fetched.words), remove: () => rmSync(home, { recursive: true, force: true }) }
}

function pm2(listener: string, ports: readonly number[]): Made {
  const apps = ports.map((port, index) => ({
    name: `s${index + 1}`,
    script: listener,
    interpreter: 'none',
    args: [String(port)],
  }))
  return made('pm2', npmPeer('pm2'), { 'all.json': JSON.stringify({ apps }) }, (home, words) => {
    const up = [...words, 'start', join(home, 'all.json')]
    return { up, daemon: { stop: [...words, 'delete', 'all'], again: up, end: [...words, 'kill'] } }
  })
}

function supervisord(listener: string, ports: readonly number[]): Made {
  const programs = ports.map((port, index) => `[program:s${index + 1}]\ncommand=${listener} ${port}\n`).join('')
  const head = [
    '[unix_http_server]\nfile=HOME/socket',
    '[supervisord]\npidfile=HOME/pid\nlogfile=HOME/log\nchildlogdir=HOME/logs',
    '[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface',
    '[supervisorctl]\nserverurl=unix://HOME/socket\n',
  ].join('\n')
  const control = supervisorPeer('supervisorctl')
  return made('supervisor', supervisorPeer('supervisord'), { 'all.conf': head + programs }, (home, words) => {
    const conf = ['-c', join(home, 'all.conf')]
    const ctl = 'words' in control ? [...control.words, ...conf] : []
    const daemon = { stop: [...ctl, 'stop', 'all'], again: [...ctl, 'start', 'all'], end: [...ctl, 'shutdown'] }
    return { up: [...words, ...conf], daemon }
  })
}

function concurrently(listener: string, ports: readonly number[]): Made {
  return made('concurrently', npmPeer('concurrently'), {}, (_, words) => ({
    up: [...words, ...ports.map(port => `${listener} ${port}`)],
  }))
}

function foreman(listener: string, ports: readonly number[]): Made {
  const procfile = ports.map((port, index) => `s${index + 1}: ${listener} ${port}\n`).join('')
  return made('foreman', npmPeer('nf'), { Procfile: procfile }, (home, words) => ({
    up: [...words, 'start', '-j', join(home, 'Procfile')],
  }))
}

/** Runs a program that needs a terminal under script(1). */
function mprocs(listener: string, ports: readonly number[]): Made {
  const procs = Object.fromEntries(ports.map((port, index) => [`s${index + 1}`, { cmd: [listener, String(port)] }]))
  return made('mprocs', npmPeer('mprocs'), { 'all.json': JSON.stringify({ procs }) }, (home, words) => ({
    up: ['script', '-qec', [...words, '--config', join(home, 'all.json')].join(' '), '/dev/null'],
  }))
}
