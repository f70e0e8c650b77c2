import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fieldOf, parseJson } from '../../lib/json.ts'
import { readLine } from '../limactl-log.ts'

/** What Lima's host agent reports of the VM (lima: pkg/hostagent/events/events.go). */
export interface AgentEvent {
  readonly time: number
  readonly isRunning: boolean
  /** The VM runs, but Lima could not set all of it up. */
  readonly isDegraded: boolean
  readonly isExiting: boolean
  readonly errors: readonly string[]
  /** The last line of cloud-init, while it sets the VM up. */
  readonly cloudInit: string | undefined
  readonly forward: PortForward | undefined
}

/** A listener in the VM that Lima has found, and what it does about it. */
export interface PortForward {
  readonly type: 'forwarding' | 'not-forwarding' | 'stopping' | 'failed'
  readonly hostPort: number | undefined
  readonly error: string | undefined
}

/** A file of lines that grows, and that each start of the VM replaces. */
class GrowingFile {
  readonly #path: string
  #inode = 0
  #at = 0
  #rest = ''

  constructor(path: string) {
    this.#path = path
  }

  /** Returns the lines since the last call; `isNew`: they are those of another file. */
  async read(): Promise<{ readonly lines: readonly string[]; readonly isNew: boolean }> {
    const file = await open(this.#path).catch(() => undefined)
    if (file === undefined) return { lines: [], isNew: false }
    try {
      const { ino, size } = await file.stat()
      const isNew = ino !== this.#inode || size < this.#at
      if (isNew) [this.#inode, this.#at, this.#rest] = [ino, 0, '']
      const buffer = Buffer.alloc(size - this.#at)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#at)
      this.#at += bytesRead
      const lines = (this.#rest + buffer.toString('utf8', 0, bytesRead)).split('\n')
      this.#rest = lines.pop() ?? ''
      return { lines, isNew }
    } finally {
      await file.close()
    }
  }
}

/** Reads the host agent's two logs: its events, `ha.stdout.log`, and its messages, `ha.stderr.log`. */
export class AgentLog {
  readonly #events: GrowingFile
  readonly #messages: GrowingFile
  #last: AgentEvent | undefined
  /** What became of each port of this machine. */
  readonly #ports = new Map<number, PortForward>()
  #hasGuestAgent = false
  #reading: Promise<unknown> = Promise.resolve()

  /** @param dir the folder of the VM */
  constructor(dir: string) {
    this.#events = new GrowingFile(join(dir, 'ha.stdout.log'))
    this.#messages = new GrowingFile(join(dir, 'ha.stderr.log'))
  }

  /** Reads what is new, and returns the events in it. */
  read(): Promise<readonly AgentEvent[]> {
    const events = this.#reading.then(() => this.#read())
    this.#reading = events
    return events
  }

  async #read(): Promise<readonly AgentEvent[]> {
    const { lines, isNew } = await this.#events.read()
    if (isNew) {
      this.#last = undefined
      this.#ports.clear()
    }
    const events = lines.flatMap(line => readEvent(line) ?? [])
    for (const event of events) {
      this.#last = event
      const port = event.forward?.hostPort
      if (event.forward === undefined || port === undefined) continue
      if (event.forward.type === 'stopping') this.#ports.delete(port)
      else this.#ports.set(port, event.forward)
    }
    const messages = await this.#messages.read()
    if (messages.isNew) this.#hasGuestAgent = false
    for (const line of messages.lines) {
      if (/guest agent is running/i.test(readLine(line)?.text ?? '')) this.#hasGuestAgent = true
      const failed = readForwardFailure(line)
      if (failed?.hostPort !== undefined) this.#ports.set(failed.hostPort, failed)
    }
    return events
  }

  /**
   * The last event of the current start that was read. Lima gives the guest agent 60 s, and calls a VM degraded for ever
   * where it came later (lima: pkg/hostagent/hostagent.go); it is not, once the guest agent runs.
   */
  get last(): AgentEvent | undefined {
    const isComplete = this.#hasGuestAgent && this.isGuestAgentLate
    return this.#last === undefined || !isComplete ? this.#last : { ...this.#last, isDegraded: false }
  }

  /** Whether Lima calls the VM degraded for its guest agent alone. */
  get isGuestAgentLate(): boolean {
    const errors = this.#last?.isDegraded === true ? this.#last.errors : []
    return errors.length > 0 && errors.every(error => /guest agent does not seem to be running/.test(error))
  }

  /** What became of a port, as far as was read. */
  port(port: number): PortForward | undefined {
    return this.#ports.get(port)
  }

  /** Forgets a failure, before a container publishes the port again. */
  forget(port: number): void {
    if (this.#ports.get(port)?.type === 'failed') this.#ports.delete(port)
  }
}

/** Reads a line of `ha.stdout.log`. */
export function readEvent(line: string): AgentEvent | undefined {
  const value = parseJson(line)
  const status = fieldOf(value, 'status')
  const time = Date.parse(String(fieldOf(value, 'time')))
  if (typeof status !== 'object' || status === null || Number.isNaN(time)) return undefined
  const errors = fieldOf(status, 'errors')
  const cloudInit = fieldOf(status, 'cloudInitProgress', 'logLine')
  return {
    time,
    isRunning: fieldOf(status, 'running') === true,
    isDegraded: fieldOf(status, 'degraded') === true,
    isExiting: fieldOf(status, 'exiting') === true,
    errors: Array.isArray(errors) ? errors.map(String) : [],
    cloudInit: typeof cloudInit === 'string' && cloudInit !== '' ? cloudInit : undefined,
    forward: readForward(fieldOf(status, 'portForward')),
  }
}

const types = ['forwarding', 'not-forwarding', 'stopping', 'failed'] as const

function readForward(value: unknown): PortForward | undefined {
  const type = types.find(each => each === fieldOf(value, 'type'))
  if (type === undefined) return undefined
  const [host, error] = [fieldOf(value, 'hostAddr'), fieldOf(value, 'error')]
  return { type, hostPort: portOf(host), error: typeof error === 'string' ? error : undefined }
}

/**
 * Lima 2.2 emits no event for a port that it fails to forward, though it has a type for one: it writes a warning,
 * `failed to listen tcp: 127.0.0.1:20001` (lima: pkg/portfwd/listener.go) or, with the SSH forwarder, `failed to set up
 * forwarding tcp port 20001` (pkg/hostagent/port.go).
 */
function readForwardFailure(line: string): PortForward | undefined {
  const text = readLine(line)?.text ?? ''
  const port = /failed to listen tcp6?: \S*?:(\d+)|failed to set up forwarding tcp port (\d+)/.exec(text)
  if (port === null) return undefined
  return { type: 'failed', hostPort: Number(port[1] ?? port[2]), error: text.split(': ').at(-1) }
}

function portOf(address: unknown): number | undefined {
  const port = /:(\d+)$/.exec(String(address))?.[1]
  return port === undefined ? undefined : Number(port)
}
