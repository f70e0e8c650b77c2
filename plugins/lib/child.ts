import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

/** A program, its whole environment, and what it reads. */
export interface ChildCommand {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly input?: string
}

/** A program that runs until it exits or is stopped. */
export interface Child {
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves with its exit code; null where a signal killed it, or it could not be started. */
  readonly exited: Promise<number | null>
  stop(): void
}

/**
 * Runs "$@" until it exits or descriptor 3 closes, which the system does also when the daemon is killed: a client that
 * only waits would outlive it. Then it stops its group: rootless podman has a second process, which outlives the first.
 */
const tether =
  'trap : TERM; exec 4<&0; "$@" <&4 3<&- 4<&- & child=$!; exec <&- >&- 2>&- 4<&-; read -r line <&3; kill 0; wait "$child"'

/** Starts a command that exits with this process at the latest. */
export function startChild({ argv, env, input = '' }: ChildCommand): Child {
  const child = spawn('/bin/sh', ['-c', tether, 'sh', ...argv], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const { stdin, stdout, stderr } = child
  // It may exit before it has read its input.
  stdin.on('error', () => {}).end(input)
  const stop = tetherOf(child)
  stdout.once('close', stop)
  // A tether that was killed stops nothing.
  child.once('exit', (_, signal) => {
    if (signal !== null) stopGroup(child)
  })
  const exited = new Promise<number | null>(resolve => {
    child.once('error', () => resolve(null)).once('close', code => resolve(code))
  })
  return { stdout, stderr, exited, stop }
}

function stopGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGTERM')
  } catch {
    // Nothing of it is left.
  }
}

function tetherOf({ stdio }: ChildProcess): () => void {
  const held = stdio[3]
  held?.on('error', () => {})
  return () => held?.destroy()
}
