import type { ServiceView } from '../../../../../kernel/events.ts'
import { contextOf } from '../../actions/context.ts'
import { Act } from '../../parts/act.tsx'
import { Mark } from '../../parts/mark.tsx'
import { now } from '../../state/clock.ts'
import { pending } from '../../state/pending.ts'
import { steps } from '../../state/services.ts'
import { durationOf, stateOf } from '../../state/words.ts'

/** Its name and state, and what is done with it most often. */
export function Head({ view }: { readonly view: ServiceView }) {
  const { key, name, project, type, startedAt, pid, status, reason, asleep } = view
  const asked = pending.value.get(key)
  const { shape, word } = stateOf(view)
  const step = status === 'starting' ? steps.value.get(key) : undefined
  const context = contextOf(key)
  return (
    <header class="head">
      <Mark shape={asked === undefined ? shape : 'wait'} />
      <b>{name}</b>
      <p class={shape === 'bad' ? 'bad-text' : shape === 'wait' ? 'wait-text' : 'dim'}>
        {asked === undefined ? word : `${asked}…`}
        {step !== undefined && `: ${step}`}
        {asked === undefined && (type === 'cron' || asleep === true) && reason !== null && `: ${reason}`}
      </p>
      <p class="dim">
        {project} · {type}
        {startedAt !== null && pid !== null && ` · up ${durationOf(now.value - Date.parse(startedAt))}`}
      </p>
      <div class="actions">
        <Act id="service.start" context={context} class="primary">
          Start
        </Act>
        <Act id="service.run-now" context={context}>
          Run now
        </Act>
        <Act id="service.restart" context={context}>
          Restart <kbd>r</kbd>
        </Act>
        <Act id="service.stop" context={context}>
          Stop <kbd>s</kbd>
        </Act>
        <Act id="service.open" context={context}>
          Open <kbd>o</kbd>
        </Act>
        <Act id="service.report" context={context}>
          Copy report <kbd>y</kbd>
        </Act>
      </div>
    </header>
  )
}
