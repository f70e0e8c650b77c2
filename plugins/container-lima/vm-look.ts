import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { EngineFound } from '../container/provides.ts'
import type { LimaMachine } from './lima-machine.ts'
import { installHint } from './limactl-program.ts'

/** Finds out what is known of the VM and its engine. Starts nothing. */
export async function lookAtVm(machine: LimaMachine, signal: AbortSignal | undefined): Promise<EngineFound> {
  try {
    const { verbs, vm } = await machine.require()
    const version = await verbs.version(signal)
    if (vm.isUp) return { state: 'running', version, detail: detailOf(machine, 'running') }
    const info = await verbs.look(signal)
    if (info?.status === 'Running') return { state: 'running', version, detail: detailOf(machine, 'running') }
    const fault = machine.options.allowSlow ? undefined : await machine.kvmFault()
    if (fault !== undefined) return { state: 'absent', ...fault }
    return { state: 'startable', version, detail: detailOf(machine, info === undefined ? 'not created' : 'stopped') }
  } catch (error) {
    signal?.throwIfAborted()
    const hint = LocaldError.is(error) ? error.hint : undefined
    return { state: 'absent', reason: messageOf(error), hint: hint ?? installHint }
  }
}

function detailOf({ guest }: LimaMachine, state: string): string {
  return guest === undefined ? `VM ${state}` : `VM ${state}, with ${guest.dialect} ${guest.version}`
}
