import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { WebSocket } from 'ws'
import { median } from './measure.ts'
import { name, type Subject } from './proxies.ts'

/** The result of a load. */
export interface Result {
  /** Successes and failures: requests answered with 200, round trips, handshakes, events. */
  readonly good: number
  readonly bad: number
  readonly seconds: number
  /** CPU time of the proxy, ms. */
  readonly cpu: number
  /** Median time of one, ms, if it was measured. */
  readonly middle?: number
}

/** Loads a proxy for some seconds. */
export type Load = (proxy: Subject, seconds: number) => Promise<Result>

/** Sends HTTP/1.1 with wrk. */
export function wrk(connections: number, path: string, headers: readonly string[] = []): Load {
  return async (proxy, seconds) => {
    const words = ['--latency', '-t1', `-c${connections}`, `-d${whole(seconds)}s`, '-H', `Host: ${name}`]
    for (const header of headers) words.push('-H', header)
    const { text, cpu } = await output(proxy, 'wrk', [...words, `http://127.0.0.1:${proxy.http}${path}`])
    const [, count = '0', took = '1', unit = 's'] = /(\d+) requests in ([\d.]+)(m?s)/.exec(text) ?? []
    const wrong = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
    const errors = (/Socket errors: (.*)/.exec(text)?.[1] ?? '').match(/\d+/g) ?? []
    const bad = wrong + errors.reduce((sum, it) => sum + Number(it), 0)
    const [, half = 'NaN', scale = 'ms'] = /50% +([\d.]+)(us|ms|s)/.exec(text) ?? []
    const middle = Number(half) * (scale === 'us' ? 0.001 : scale === 'ms' ? 1 : 1000)
    return { good: Number(count) - wrong, bad, seconds: inSeconds(took, unit), cpu, middle }
  }
}

/** Sends HTTP/2, or with `--h1` HTTP/1.1, over TLS with h2load. */
export function h2load(words: readonly string[], path: string): Load {
  return (proxy, seconds) => loaded(proxy, [...words, `-D${whole(seconds)}`], path)
}

/** Opens a burst of new TLS connections with one request on each. */
export function handshakes(count: number): Load {
  return proxy => loaded(proxy, ['--h1', `-n${count}`, `-c${count}`], '/1024')
}

/** Sends a short message back and forth over WebSockets. */
export function webSockets(connections: number): Load {
  return async (proxy, seconds) => {
    const headers = { host: name }
    const url = `ws://127.0.0.1:${proxy.http}/live/ws`
    const sockets = Array.from({ length: connections }, () => new WebSocket(url, { headers, perMessageDeflate: false }))
    await Promise.all(sockets.map(socket => once(socket, 'open')))
    let good = 0
    const [began, before] = [performance.now(), proxy.cpuMs()]
    for (const socket of sockets) {
      socket.on('message', data => {
        good++
        socket.send(data)
      })
      socket.send('there and back again')
    }
    await new Promise(done => setTimeout(done, seconds * 1000))
    const [took, cpu] = [(performance.now() - began) / 1000, proxy.cpuMs() - before]
    const bad = sockets.filter(({ readyState }) => readyState !== WebSocket.OPEN).length
    for (const socket of sockets) socket.terminate()
    return { good, bad, seconds: took, cpu }
  }
}

/** Measures the time from a service's write of a stream's first event until a client has it. */
export function events(count: number): Load {
  return async proxy => {
    const [began, before] = [performance.now(), proxy.cpuMs()]
    const delays: number[] = []
    for (let i = 0; i < count; i++) delays.push(await firstEvent(proxy.http))
    const [seconds, cpu] = [(performance.now() - began) / 1000, proxy.cpuMs() - before]
    return { good: count, bad: 0, seconds, cpu, middle: median(delays) }
  }
}

function firstEvent(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/live/events', headers: { host: name }, agent: false }
    const asked = get(options, answer => {
      answer.setEncoding('utf8').on('data', text => {
        resolve(Number(process.hrtime.bigint() - BigInt(/data: (\d+)/.exec(text)?.[1] ?? 0)) / 1e6)
        asked.destroy()
      })
    })
    asked.on('error', reject)
  })
}

async function loaded(proxy: Subject, words: readonly string[], path: string): Promise<Result> {
  const to = [`--connect-to=127.0.0.1:${proxy.https}`, '-t1']
  const { text, cpu } = await output(proxy, 'h2load', [...words, ...to, `https://${name}:${proxy.https}${path}`])
  const [, took = '1', unit = 's'] = /finished in ([\d.]+)(m?s)/.exec(text) ?? []
  const good = Number(/status codes: (\d+) 2xx/.exec(text)?.[1] ?? 0)
  const bad = Number(/(\d+) failed/.exec(text)?.[1] ?? 0)
  return { good, bad, seconds: inSeconds(took, unit), cpu }
}

async function output(proxy: Subject, command: string, words: readonly string[]) {
  const before = proxy.cpuMs()
  // On the core that this process runs on.
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', piece => {
    text += piece
  })
  await once(child, 'close')
  return { text, cpu: proxy.cpuMs() - before }
}

function inSeconds(took: string, unit: string): number {
  return Number(took) / (unit === 'ms' ? 1000 : 1)
}

function whole(seconds: number): number {
  return Math.max(1, Math.round(seconds))
}
