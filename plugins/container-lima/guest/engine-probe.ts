import { silentEngine } from '../failures.ts'
import type { Limactl } from '../limactl.ts'
import { causeOf } from '../limactl-log.ts'
import type { LimaOptions } from '../options.ts'
import type { GuestDialect, GuestEngine } from './guest-engine.ts'

/** Limits of the search for the engine: ms. After a boot containerd takes seconds to answer. */
export interface ProbeLimits {
  readonly attemptMs: number
  readonly wholeMs: number
  readonly pauseMs: number
}

export const probeLimits: ProbeLimits = { attemptMs: 20_000, wholeMs: 90_000, pauseMs: 1000 }

/** The commands that succeed only when an engine's daemon or storage works, by engine. */
const answers: Readonly<Record<GuestDialect, string>> = {
  nerdctl: 'nerdctl --namespace locald ps -q',
  podman: 'podman ps -q',
  docker: 'docker ps -q',
}
const dialects: readonly GuestDialect[] = ['nerdctl', 'podman', 'docker']

/** Prints the name of the first engine that is installed, its version, and what it says where it does not answer. */
function scriptFor(engine: LimaOptions['engine']): string {
  const wanted = engine === 'auto' ? dialects : [engine]
  const tries = wanted.map(
    name =>
      `if command -v ${name} >/dev/null 2>&1; then echo ${name}; ${name} --version; ${answers[name]} >/dev/null || exit 4; exit 0; fi`,
  )
  return `${tries.join('; ')}; exit 3`
}

/**
 * Finds the engine in a running VM, and waits until it answers. A connection of ssh that hangs, as after this machine
 * slept, is replaced once.
 */
export async function findEngine(
  limactl: Limactl,
  options: LimaOptions,
  limits: ProbeLimits = probeLimits,
): Promise<GuestEngine> {
  const end = performance.now() + limits.wholeMs * options.patience
  let isHanging = false
  for (;;) {
    const result = await limactl.shell(['sh', '-c', scriptFor(options.engine)], {
      timeoutMs: limits.attemptMs * options.patience,
      isReconnect: isHanging,
    })
    const found = result.code === 0 ? readEngine(result.stdout) : undefined
    if (found !== undefined) return found
    if (result.code === 3 || performance.now() > end) {
      throw silentEngine(result.code === 3 ? 'none is installed' : (result.failure ?? causeOf(result.stderr)))
    }
    isHanging = result.isLate === true
    await new Promise(resolve => setTimeout(resolve, limits.pauseMs))
  }
}

function readEngine(stdout: string): GuestEngine | undefined {
  const lines = stdout.trim().split('\n')
  const dialect = dialects.find(name => lines.includes(name))
  const version = /\d+\.\d+(?:\.\d+)?/.exec(lines.slice(1).join(' '))?.[0]
  return dialect === undefined ? undefined : { dialect, version: version ?? '0.0.0' }
}
