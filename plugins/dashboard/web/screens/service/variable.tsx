import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ServiceView } from '../../../../../kernel/events.ts'
import type { EnvAnswer, EnvVariable } from '../../../../../kernel/protocol.ts'
import { copy } from '../../actions/copy.ts'
import { get } from '../../api.ts'
import { notifyError } from '../../state/notices.ts'

/** A secret is shown for so long, ms. */
const revealedMs = 10_000

interface Props {
  readonly view: ServiceView
  readonly variable: EnvVariable
}

/** The value of a variable, which a click copies. A secret is dots until it is revealed, for ten seconds. */
export function VariableValue({ view, variable: { name, value, secret } }: Props) {
  const revealed = useSignal<string | undefined>(undefined)
  useEffect(() => {
    if (revealed.value === undefined) return undefined
    const timer = setTimeout(() => {
      revealed.value = undefined
    }, revealedMs)
    return () => clearTimeout(timer)
  }, [revealed.value])
  const shown = revealed.value ?? value
  const copyIt = async () => copy(secret ? await revealOf(view, name) : value, name)
  const toggle = async () => {
    revealed.value = revealed.value === undefined ? await revealOf(view, name) : undefined
  }
  return (
    <span class="variable">
      <button
        type="button"
        class="value mono"
        title={`Copy the value of ${name}`}
        aria-label={secret && revealed.value === undefined ? `Copy ${name}, a secret` : `Copy ${name}: ${shown}`}
        onClick={() => void copyIt().catch(notifyError)}
      >
        {shown === '' ? <span class="dim">empty</span> : shown}
      </button>
      {secret && (
        <button
          type="button"
          aria-label={`${revealed.value === undefined ? 'Reveal' : 'Hide'} ${name}`}
          onClick={() => void toggle().catch(notifyError)}
        >
          {revealed.value === undefined ? 'Reveal' : 'Hide'}
        </button>
      )}
    </span>
  )
}

/** Returns a secret; the daemon reports it as an event. */
async function revealOf({ path, name: service }: ServiceView, name: string): Promise<string> {
  const { variables } = await get<EnvAnswer>('/services/env', { path, service, name, reveal: true })
  return variables.find(variable => variable.name === name)?.value ?? ''
}
