import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { systemCode } from '../../errors.ts'
import { meetsItself } from '../../lib/loopback.ts'
import { readStart } from './answer-text.ts'

/** The result of one probe. `address`: the loopback address that answered. */
export interface ProbeResult {
  readonly ok: boolean
  /** Why not, as the end of a sentence: "connection refused on 127.0.0.1:5432". */
  readonly detail: string
  readonly address?: string
  /** The beginning of the body of an answer that failed; `''` without text. */
  readonly body?: string
  /** Something there accepts connections, but does not answer in valid HTTP. */
  readonly isStrange?: true
}

/** A probe's result, and the number of probes so far. */
export interface Attempt extends ProbeResult {
  readonly tries: number
}

const loopback = ['127.0.0.1', '::1'] as const
/** With an empty list of roots Node does not read the ones it ships: 20 ms and a MB on Node 20. */
const unverified = { servername: 'localhost', rejectUnauthorized: false, ca: [] }

/** Connects to a port on both loopback addresses at once; 127.0.0.1 is preferred. `timeoutMs` is for each. */
export function tcpProbe(port: number, timeoutMs: number): Promise<ProbeResult> {
  return firstSuccess(loopback.map(host => dial(host, port, timeoutMs)))
}

/** A connection to a guest counts once it has stayed open for so long: ms. */
const guestOpenMs = 300

/**
 * Connects to a guest's port on 127.0.0.1. Its engine accepts connections as soon as the guest runs, and closes them
 * again while nothing listens inside: a connection counts when it stays open, or when data come.
 */
export function guestProbe(port: number, inside: number | undefined, timeoutMs: number): Promise<ProbeResult> {
  const closed = `nothing listens ${inside === undefined ? 'inside' : `on port ${inside} inside`} yet`
  return dial('127.0.0.1', port, timeoutMs, { ms: guestOpenMs, closed })
}

/** The target of an HTTP check; `host`: the loopback address, where it is known. */
export interface HttpTarget {
  readonly port: number
  readonly path: string
  /** The certificate is not verified: the service is on this machine. */
  readonly tls: boolean
  readonly host: string | undefined
}

/**
 * Requests a path, on both loopback addresses unless one is known; a status below 400 is healthy. Of
 * other answers the beginning of the body is read.
 */
export function httpProbe(target: HttpTarget, timeoutMs: number): Promise<ProbeResult> {
  const { host } = target
  return firstSuccess((host === undefined ? loopback : [host]).map(address => get(address, target, timeoutMs)))
}

/**
 * Whether a server on a loopback port agrees on TLS; undefined when it neither does nor answers in another protocol.
 */
export async function speaksTls(port: number, timeoutMs: number): Promise<boolean | undefined> {
  const [four, six] = await Promise.all(loopback.map(host => handshake(host, port, timeoutMs)))
  return four ?? six
}

function handshake(host: string, port: number, timeoutMs: number): Promise<boolean | undefined> {
  return new Promise(resolve => {
    const socket = connectTls({ host, port, ...unverified })
    const end = (result: boolean | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => end(undefined), timeoutMs)
    socket.once('secureConnect', () => end(true))
    socket.on('error', error => end(tlsOf(error)))
    socket.once('close', () => end(undefined))
  })
}

/**
 * Interprets the error of a handshake: an alert, such as for a missing client certificate, is TLS; another answer is
 * not.
 */
function tlsOf(error: Error): boolean | undefined {
  const code = systemCode(error) ?? ''
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_')) return undefined
  return /alert/i.test(`${code} ${error.message}`)
}

/** Returns the first success; without one the first that answered at all, else the first. */
async function firstSuccess(tries: readonly Promise<ProbeResult>[]): Promise<ProbeResult> {
  const results: ProbeResult[] = []
  for (const one of tries) {
    const result = await one
    if (result.ok) return result
    results.push(result)
  }
  return results.find(({ address }) => address !== undefined) ?? results[0] ?? { ok: false, detail: 'not probed' }
}

/** How long a connection has to stay open, ms, and what it means when it does not. */
interface OpenTest {
  readonly ms: number
  readonly closed: string
}

function dial(host: string, port: number, timeoutMs: number, open?: OpenTest): Promise<ProbeResult> {
  return new Promise(resolve => {
    const place = placeOf(host, port)
    const socket = connect({ host, port })
    const end = (result: ProbeResult) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    let timer = setTimeout(
      () => end({ ok: false, detail: `no connection to ${place} within ${timeoutMs} ms` }),
      timeoutMs,
    )
    const accepted = { ok: true, detail: `${place} accepts connections`, address: host }
    const closed = { ok: false, detail: `${place} closes connections: ${open?.closed}` }
    let isConnected = false
    socket.once('connect', () => {
      if (meetsItself(socket)) return end({ ok: false, detail: formatRefused(place) })
      if (open === undefined) return end(accepted)
      isConnected = true
      clearTimeout(timer)
      timer = setTimeout(() => end(accepted), open.ms)
      socket.once('data', () => end(accepted)).once('end', () => end(closed))
    })
    socket.on('error', error =>
      end(isConnected ? closed : { ok: false, detail: refusalText(error, place) ?? `${place}: ${error.message}` }),
    )
  })
}

function get(host: string, { port, path, tls }: HttpTarget, timeoutMs: number): Promise<ProbeResult> {
  return new Promise(resolve => {
    const headers = { host: `localhost:${port}`, 'user-agent': 'locald' }
    const options = { host, port, path, agent: false, headers }
    const asked = tls ? requestTls({ ...options, ...unverified }) : request(options)
    const end = (result: ProbeResult) => {
      clearTimeout(timer)
      asked.destroy()
      resolve(result)
    }
    let late: ProbeResult = { ok: false, detail: `GET ${path} timed out after ${timeoutMs} ms` }
    const timer = setTimeout(() => end(late), timeoutMs)
    asked.once('response', response => {
      const { statusCode = 0 } = response
      // Anything after the head, errors included, does not matter.
      response.on('error', () => {})
      const answer = { detail: `GET ${path} answered ${statusCode}`, address: host }
      if (statusCode < 400) return end({ ok: true, ...answer })
      // Status 400: the answers of nginx and Go where they expect HTTPS.
      const failed = { ok: false, ...answer, ...(statusCode === 400 ? { isStrange: true as const } : {}) }
      late = failed
      void readStart(response).then(body => end({ ...failed, body }))
    })
    asked.on('error', error => {
      const refused = refusalText(error, placeOf(host, port))
      if (refused !== undefined) end({ ok: false, detail: refused })
      else end({ ok: false, detail: `GET ${path}: ${error.message}`, address: host, isStrange: true })
    })
    asked.end()
  })
}

/** Returns a place as messages name it. */
export function placeOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function refusalText(error: Error, place: string): string | undefined {
  return systemCode(error) === 'ECONNREFUSED' ? formatRefused(place) : undefined
}

function formatRefused(place: string): string {
  return `connection refused on ${place}`
}

/** Where and how a command probe runs. */
export interface CommandPlace {
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/**
 * Runs a shell command with the service's environment; exit code 0 is healthy. The timeout and the signal kill its
 * whole process group. Its output is discarded: it may contain secrets.
 */
export function commandProbe(
  command: string,
  timeoutMs: number,
  { dir, env, signal }: CommandPlace,
): Promise<ProbeResult> {
  return new Promise(resolve => {
    const child = spawn('/bin/sh', ['-c', command], { cwd: dir, env, detached: true, stdio: 'ignore' })
    const kill = () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It exited in between.
      }
    }
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      kill()
    }, timeoutMs)
    signal.addEventListener('abort', kill, { once: true })
    const end = (ok: boolean, detail: string) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', kill)
      resolve({ ok, detail })
    }
    child.once('error', error => end(false, `the check could not be run: ${error.message}`))
    child.once('exit', (code, name) => {
      if (isLate) end(false, `the check timed out after ${timeoutMs} ms`)
      else end(code === 0, code === null ? `the check was terminated by ${name}` : `the check exited with code ${code}`)
    })
    if (signal.aborted) kill()
  })
}
