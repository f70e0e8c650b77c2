import { computed, signal } from '@preact/signals'
import type { DoctorAnswer } from '../../../../kernel/protocol.ts'
import { get } from '../api.ts'

/** The last answer of the checks of this machine; undefined before the first. */
export const doctor = signal<DoctorAnswer | undefined>(undefined)

/** How many checks found something to do. */
export const doctorCount = computed(
  () => doctor.value?.checks.filter(({ status }) => status === 'warn' || status === 'fail').length ?? 0,
)

/** Whether the system trusts the certificates; undefined: not known. */
export const isTrusted = computed(() => {
  const checks = doctor.value?.checks.filter(({ id, status }) => id.startsWith('trust-') && status !== 'skip')
  const stores = checks?.filter(({ id }) => id !== 'trust-store') ?? []
  return stores.length === 0 ? undefined : stores.every(({ status }) => status === 'pass')
})

/** Runs the checks. */
export async function runDoctor(): Promise<void> {
  doctor.value = await get<DoctorAnswer>('/doctor')
}
