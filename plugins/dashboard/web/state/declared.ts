import { signal } from '@preact/signals'
import type { ServiceCommandsAnswer, ServiceCommandView } from '../../../../kernel/protocol.ts'
import { get } from '../api.ts'

/** The commands that services declare, by the keys of the services, as of the last request. */
export const declared = signal<ReadonlyMap<string, readonly ServiceCommandView[]>>(new Map())

/** Reads them again: no event is about them. A failure keeps what is known. */
export async function refreshDeclared(): Promise<void> {
  try {
    const { services } = await get<ServiceCommandsAnswer>('/services/commands', { path: '/', all: true })
    declared.value = new Map(services.map(({ key, commands }) => [key, commands]))
  } catch {
    // The palette offers all else; a lost daemon is reported elsewhere.
  }
}
