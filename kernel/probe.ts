import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { connect } from 'node:net'
import { systemCode } from './errors.ts'

/** What one try found. `address` is the loopback address that answered. */
export interface ProbeResult {
  readonly ok: boolean
  /** Why not, as the end of a sentence: "connection refused on 127.0.0.1:5432". */
  readonly detail: string
  readonly address?: string
}

const loopback = ['127.0.0.1', '::1'] as const

/** Connects to a port on either loopback address, both at once. */
export async function tcpProbe(port: number, timeoutMs: number): Promise<ProbeResult> {
  const results = await Promise.all(loopback.map(host => dial(host, port, timeoutMs)))
  return results.find(result => result.ok) ?? results[0] ?? { ok: false, detail: 'no loopback address' }
}

function dial(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    const end = (ok: boolean, detail: string) => {
      socket.destroy()
      resolve({ ok, detail, ...(ok ? { address: host } : {}) })
    }
    const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
    socket.setTimeout(timeoutMs, () => end(false, `no connection to ${place} within ${timeoutMs} ms`))
    socket.once('connect', () => end(true, `${place} accepts connections`))
    socket.once('error', error => {
      end(false, systemCode(error) === 'ECONNREFUSED' ? `connection refused on ${place}` : `${place}: ${error.message}`)
    })
  })
}

/** GETs a path; a status below 400 is healthy. The body is not read. */
export async function httpProbe(
  port: number,
  path: string,
  timeoutMs: number,
  host: string | undefined,
): Promise<ProbeResult> {
  const results = await Promise.all(
    (host === undefined ? loopback : [host]).map(address => get(address, port, path, timeoutMs)),
  )
  return (
    results.find(result => result.ok) ??
    results.find(result => result.address !== undefined) ??
    results[0] ?? { ok: false, detail: '' }
  )
}

function get(host: string, port: number, path: string, timeoutMs: number): Promise<ProbeResult> {
  return new Promise(resolve => {
    const timer = setTimeout(
      () => end({ ok: false, detail: `GET ${path} gave no answer within ${timeoutMs} ms` }),
      timeoutMs,
    )
    const asked = request({
      host,
      port,
      path,
      agent: false,
      headers: { host: `localhost:${port}`, 'user-agent': 'locald' },
    })
    const end = (result: ProbeResult) => {
      clearTimeout(timer)
      asked.destroy()
      resolve(result)
    }
    asked.once('response', response => {
      const { statusCode = 0 } = response
      response.resume()
      end({ ok: statusCode < 400, detail: `GET ${path} answered ${statusCode}`, address: host })
    })
    asked.on('error', error => {
      const refused = systemCode(error) === 'ECONNREFUSED'
      end({ ok: false, detail: refused ? `connection refused on ${host}:${port}` : `GET ${path}: ${error.message}` })
    })
    asked.end()
  })
}

/** Where and how a command probe runs. */
export interface CommandPlace {
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Runs a shell command with the service's environment; exit code 0 is healthy. Its whole process group ends with the timeout. */
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
        // It ended in between.
      }
    }
    let late = false
    const timer = setTimeout(() => {
      late = true
      kill()
    }, timeoutMs)
    signal.addEventListener('abort', kill, { once: true })
    const end = (result: ProbeResult) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', kill)
      resolve(result)
    }
    child.once('error', error => end({ ok: false, detail: `the check could not be run: ${error.message}` }))
    child.once('exit', (code, name) => {
      if (late) end({ ok: false, detail: `the check did not end within ${timeoutMs} ms` })
      else
        end({ ok: code === 0, detail: code === null ? `the check ended by ${name}` : `the check exited with ${code}` })
    })
  })
}
