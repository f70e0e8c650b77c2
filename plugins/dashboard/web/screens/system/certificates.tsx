import type { CheckView } from '../../../../../kernel/protocol.ts'
import { Mark } from '../../parts/mark.tsx'
import { doctor, isTrusted } from '../../state/doctor.ts'
import type { Shape } from '../../state/words.ts'
import { FixButton } from './fix.tsx'

/** The local CA: its file and end, and which stores trust it. */
export function Certificates() {
  const checks = doctor.value?.checks ?? []
  const authority = checks.find(({ id }) => id === 'ca')
  const stores = checks.filter(({ id, status }) => /^trust-(?!store$)/.test(id) && status !== 'skip')
  const trust = doctor.value?.commands.find(({ command }) => /^(?:sudo )?locald trust$/.test(command))
  if (authority === undefined) return null
  return (
    <section class="card" aria-label="Certificates">
      <h2>
        Certificates <code class="dim">locald trust</code>
      </h2>
      <ul class="checks">
        <Store shape={shapeOf(authority)} text={authority.summary} />
        {stores.map(check => (
          <Store key={check.id} shape={shapeOf(check)} text={check.summary} />
        ))}
      </ul>
      {isTrusted.value === true && <p class="dim note">All stores that were found trust the CA of locald.</p>}
      {isTrusted.value !== true && trust !== undefined && <FixButton command={trust} />}
    </section>
  )
}

function Store({ shape, text }: { readonly shape: Shape; readonly text: string }) {
  return (
    <li>
      <Mark shape={shape} />
      <p class="summary">{text}</p>
    </li>
  )
}

function shapeOf({ status }: CheckView): Shape {
  if (status === 'pass') return 'ok'
  if (status === 'skip') return 'off'
  return status === 'fail' ? 'bad' : 'wait'
}
