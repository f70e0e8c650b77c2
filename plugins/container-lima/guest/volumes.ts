import type { Limactl } from '../limactl.ts'
import type { LimaOptions } from '../options.ts'
import { findEngine } from './engine-probe.ts'
import { engineWords, type GuestEngine } from './guest-engine.ts'

const timeoutMs = 30_000

/** Returns the names of the volumes in a running VM; undefined where its engine does not answer. */
export async function listVolumes(
  limactl: Limactl,
  options: LimaOptions,
  known: GuestEngine | undefined,
): Promise<readonly string[] | undefined> {
  const limits = { attemptMs: 10_000, wholeMs: 0, pauseMs: 0 }
  const guest = known ?? (await findEngine(limactl, options, limits).catch(() => undefined))
  if (guest === undefined) return undefined
  const words = [...engineWords(guest), 'volume', 'ls', '--format', '{{.Name}}']
  const { code, stdout } = await limactl.shell(words, { timeoutMs: timeoutMs * options.patience })
  return code === 0 ? stdout.split('\n').filter(name => name !== '') : undefined
}
