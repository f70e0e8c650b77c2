import type { Limactl } from '../limactl.ts'
import type { LimaOptions } from '../options.ts'
import { engineWords, type GuestEngine } from './guest-engine.ts'

/** ms */
const timeoutMs = 60_000
const script = 'ids=$("$@" ps -q) && { [ -z "$ids" ] || "$@" stop --time 10 $ids; }'

/**
 * Stops the containers in a running VM before it shuts down: its systemd would wait up to 90 s for each. Never rejects:
 * the shutdown kills what is left.
 */
export async function stopContainers(limactl: Limactl, options: LimaOptions, guest: GuestEngine): Promise<void> {
  await limactl.shell(['sh', '-c', script, 'sh', ...engineWords(guest)], { timeoutMs: timeoutMs * options.patience })
}
