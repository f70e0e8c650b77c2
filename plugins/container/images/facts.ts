import { isRecord } from '../../lib/json.ts'
import type { ProgramResult } from '../../lib/programs.ts'
import { tryEngine } from '../calls/run-engine.ts'
import type { Engine } from '../provides.ts'

/** What a start needs to know of an image. */
export interface ImageFacts {
  readonly id: string
  /** The folders that its VOLUME instructions name. */
  readonly volumes: readonly string[]
  readonly healthcheck: Healthcheck | undefined
}

/** The HEALTHCHECK of an image, durations in ms (Dockerfile reference, HEALTHCHECK). */
export interface Healthcheck {
  /** CMD: a program with its arguments; CMD-SHELL: a command for the image's shell. */
  readonly test: readonly [string, ...string[]]
  readonly interval: number
  readonly timeout: number
}

const nsPerMs = 1_000_000
/** The engines' defaults. */
const defaults = { interval: 30_000, timeout: 30_000 } as const

/** Reads what an image says about itself; undefined where the engine does not have it. */
export async function imageFacts(engine: Engine, image: string, signal?: AbortSignal): Promise<ImageFacts | undefined> {
  const result = await tryEngine(engine, ['image', 'inspect', image], { signal })
  return result.code === 0 ? parseFacts(result) : undefined
}

/** Parses the output of `image inspect`. */
export function parseFacts({ stdout }: Pick<ProgramResult, 'stdout'>): ImageFacts | undefined {
  const parsed: unknown = JSON.parse(stdout)
  const [image]: readonly unknown[] = Array.isArray(parsed) ? parsed : []
  if (!isRecord(image)) return undefined
  const config = isRecord(image['Config']) ? image['Config'] : {}
  const check = config['Healthcheck'] ?? image['Healthcheck']
  return {
    id: String(image['Id'] ?? '').replace(/^sha256:/, ''),
    volumes: isRecord(config['Volumes']) ? Object.keys(config['Volumes']).sort() : [],
    healthcheck: isRecord(check) ? healthcheckOf(check) : undefined,
  }
}

function healthcheckOf(check: Readonly<Record<string, unknown>>): Healthcheck | undefined {
  const test: readonly unknown[] = Array.isArray(check['Test']) ? check['Test'] : []
  const [kind, ...rest] = test.map(String)
  if ((kind !== 'CMD' && kind !== 'CMD-SHELL') || rest.length === 0) return undefined
  const ms = (name: string) => Number(check[name] ?? 0) / nsPerMs
  return {
    test: [kind, ...rest],
    interval: ms('Interval') || defaults.interval,
    timeout: ms('Timeout') || defaults.timeout,
  }
}
