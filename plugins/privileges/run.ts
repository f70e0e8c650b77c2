import { type ChildProcess, spawn } from 'node:child_process'
import { messageOf } from '../../kernel/errors.ts'
import type { BoundSocket } from './provides.ts'

/** The outcome of one run of the helper. `code` is null when a signal killed it or it could not be started. */
export interface ShimResult {
  readonly code: number | null
  readonly output: string
  /** Its error message, without its own name. */
  readonly says: string
  readonly sockets: readonly BoundSocket[]
}

/** It exits after 15 s, or after 120 s when it runs a program of the distribution. */
const timeoutMs = 130_000

/** Runs the helper once, with an empty environment. Never rejects. */
export function runShim(path: string, words: readonly string[], input = ''): Promise<ShimResult> {
  return collect(spawn(path, words, { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'] }), input)
}

/**
 * Runs `bind PORT` with Node's channel as descriptor 3, over which listening sockets come. To be used for no other
 * program: an unexpected descriptor crashes this process.
 */
export function runBind(path: string, port: number): Promise<ShimResult> {
  const child = spawn(path, ['bind', String(port)], {
    cwd: '/',
    env: {},
    serialization: 'json',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  return collect(child, undefined)
}

async function collect(child: ChildProcess, input: string | undefined): Promise<ShimResult> {
  const sockets: BoundSocket[] = []
  const texts = { output: '', errors: '' }
  child.stdout?.on('data', data => {
    texts.output += data
  })
  child.stderr?.on('data', data => {
    texts.errors += data
  })
  child.on('message', (message, handle) => {
    const bound = boundAddress(message)
    if (bound !== undefined && typeof handle === 'object') sockets.push({ address: bound, handle })
  })
  // It may exit without reading its input.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const { code, failure } = await new Promise<{ code: number | null; failure?: string }>(resolve => {
    let left = child.channel === undefined || child.channel === null ? 1 : 2
    const end = (): void => {
      left -= 1
      if (left === 0) resolve({ code: child.exitCode })
    }
    // A later error is the channel's, which is no longer read.
    child.on('error', error => resolve({ code: null, failure: messageOf(error) }))
    child.once('close', end)
    // Messages on the channel arrive until then.
    child.once('disconnect', end)
  })
  clearTimeout(timer)
  const says = failure ?? texts.errors.trim().replace(/^locald-shim: /, '')
  return { code, output: texts.output, says, sockets }
}

function boundAddress(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('bound' in message)) return undefined
  return typeof message.bound === 'string' ? message.bound : undefined
}

/** Closes sockets that are not used. */
export function closeAll(sockets: readonly BoundSocket[]): void {
  for (const { handle } of sockets) if ('close' in handle && typeof handle.close === 'function') handle.close()
}
