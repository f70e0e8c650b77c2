import { connect } from 'node:net'
import { unforwardedPort } from '../failures.ts'
import type { AgentLog } from './agent-log.ts'

/** Times of the wait for a port: ms. */
export interface ForwardTimes {
  /** How long Lima may take to notice a listener in the VM: at once by eBPF, else it looks every 3 s. */
  readonly listenMs: number
  readonly wholeMs: number
  readonly pollMs: number
  /** How long after Lima's announcement its failure to listen may come. */
  readonly quietMs: number
}

const forwardTimes: ForwardTimes = { listenMs: 5000, wholeMs: 30_000, pollMs: 50, quietMs: 150 }

/**
 * Resolves when Lima forwards these ports of the VM to this machine, or when nothing listens on them there, as of a
 * container that has exited: its health check decides. Lima announces a port before it listens; a failure is in its
 * other log only. Rejects with PORT_TAKEN or ENGINE_FAILED.
 */
export async function waitForForwards(
  log: AgentLog,
  ports: readonly number[],
  signal?: AbortSignal,
  times: ForwardTimes = forwardTimes,
): Promise<void> {
  await Promise.all(ports.map(port => waitForForward(log, port, signal, times)))
}

async function waitForForward(
  log: AgentLog,
  port: number,
  signal: AbortSignal | undefined,
  times: ForwardTimes,
): Promise<void> {
  const start = performance.now()
  let openSince: number | undefined
  for (;;) {
    signal?.throwIfAborted()
    await log.read()
    const state = log.port(port)
    if (state?.type === 'failed') {
      log.forget(port)
      throw unforwardedPort(port, state.error ?? 'failed to listen')
    }
    if (state?.type === 'not-forwarding') throw unforwardedPort(port, 'Lima does not forward it')
    const isOpen = state?.type === 'forwarding' && (await accepts(port))
    openSince = isOpen ? (openSince ?? performance.now()) : undefined
    if (openSince !== undefined && performance.now() - openSince >= times.quietMs) return
    const passed = performance.now() - start
    if (state === undefined && passed > times.listenMs) return
    if (passed > times.wholeMs)
      throw unforwardedPort(port, `Lima does not listen on it after ${times.wholeMs / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, times.pollMs))
  }
}

/** Whether something accepts connections on a port of this machine: Lima, before the container does. */
function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const finish = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
    socket.setTimeout(1000, () => finish(false))
  })
}
